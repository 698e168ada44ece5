"""What the header of a picture tells, before anything of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass


class BadHeader(ValueError):
    """A header that cannot be true."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Sizes in pixels, the bytes per pixel that a decoder takes at once at most, and the bytes
    that a file of that many pixels has at least (0: not known).
    """

    width: int
    height: int
    decoding_bytes: int
    least_bytes: int = 0

    @property
    def pixels(self) -> int:
        return self.width * self.height

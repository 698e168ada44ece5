"""What the header of a picture tells, before anything of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass


class BadHeader(ValueError):
    """A header that cannot be true."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Sizes in pixels, and the bytes per pixel that a decoder takes at once at most."""

    width: int
    height: int
    decoding_bytes: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

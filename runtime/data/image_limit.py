"""How large a picture may say it is before it is decoded.

A few bytes can claim any size, and a decoder believes them. The limit is a number of pixels,
and of four bytes for each of them that decoding may take.
"""

from __future__ import annotations

import os

from ir.errors import RoasteryError

VARIABLE = "ROASTERY_MAX_IMAGE_PIXELS"

DEFAULT_PIXELS = 200_000_000
"""The largest cameras take 200 megapixels; decoding them takes 600 MB."""

BYTES_PER_PIXEL = 4

_chosen: int | None = None


def limit_image_pixels(pixels: int | None) -> None:
    """Let pictures of up to ``pixels`` be read; None: what the environment says, or the default."""
    global _chosen
    _chosen = pixels


def check_pixels(height: int, width: int) -> None:
    """Raise RoasteryError for a picture to be made that is larger than the limit."""
    if height * width > max_image_pixels():
        raise RoasteryError(
            f"a picture of {height} x {width} pixels was asked for; {max_image_pixels()} pixels "
            "are the limit",
            hint=f"if it is meant, set {VARIABLE} or --max_image_pixels to {height * width}",
        )


def max_image_pixels() -> int:
    """The limit that holds now.

    Raises RoasteryError where ROASTERY_MAX_IMAGE_PIXELS is no number from 1.
    """
    if _chosen is not None:
        return _chosen
    text = os.environ.get(VARIABLE, "")
    if not text:
        return DEFAULT_PIXELS
    if not (text.isascii() and text.isdecimal() and 0 < len(text.lstrip("0")) < 19):
        raise RoasteryError(
            f"{VARIABLE} is {text[:40]!r}; a number of pixels was expected",
            hint=f"without it {DEFAULT_PIXELS} pixels are the limit",
        )
    return int(text)

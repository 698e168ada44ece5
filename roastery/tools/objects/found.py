"""What was found in a picture."""

from __future__ import annotations

from typing import NamedTuple


class PictureObject(NamedTuple):
    """A box in pixels of the picture: x1, y1, x2, y2, which may reach out of it."""

    label: int
    score: float
    box: tuple[float, float, float, float]

"""A rectangle of a picture, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PicturePart:
    """The pixels from row ``top`` and column ``left`` on."""

    top: int
    left: int
    height: int
    width: int

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """These pixels of a (height, width, ...) picture."""
        rows = slice(self.top, self.top + self.height)
        return np.ascontiguousarray(pixels[rows, self.left : self.left + self.width])

    def of_planes(self, values: np.ndarray) -> np.ndarray:
        """These pixels of a (channels, height, width) picture."""
        rows = slice(self.top, self.top + self.height)
        return values[:, rows, self.left : self.left + self.width]

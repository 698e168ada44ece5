"""What becomes of a picture, and of its boxes, before a pixel is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..augment.expand import RAW_BACKGROUND, Canvas
from ..boxes.boxes import ObjectBoxes
from ..picture_part import PicturePart


@dataclass(frozen=True, slots=True)
class ArrangedPicture:
    """What becomes of one picture.

    Attributes:
        canvas: what it is put on; None: nothing.
        window: what is then cut from it, in parts of its size; None: nothing.
        size: height and width of what is cut from, and resized otherwise.
        boxes: as they come out.
    """

    canvas: Canvas | None
    window: np.ndarray | None
    size: tuple[int, int]
    boxes: ObjectBoxes

    @property
    def part(self) -> PicturePart | None:
        """The pixels that the window has."""
        return None if self.window is None else part_of(self.window, *self.size)


def part_of(window: np.ndarray, height: int, width: int) -> PicturePart:
    """The pixels of a window, at least one, of a (height, width) picture."""
    left, top, right, bottom = window * np.array([width, height, width, height], np.float32)
    first_row, first_column = min(int(top), height - 1), min(int(left), width - 1)
    return PicturePart(
        first_row,
        first_column,
        min(max(1, int(bottom - top)), height - first_row),
        min(max(1, int(right - left)), width - first_column),
    )


def arranged_raw(values: np.ndarray, arranged: ArrangedPicture) -> np.ndarray:
    """(channels, height, width) values on their canvas, and the part of that."""
    canvas, part = arranged.canvas, arranged.part
    if canvas is not None:
        channels, height, width = values.shape
        out = np.full((channels, canvas.height, canvas.width), RAW_BACKGROUND, values.dtype)
        rows = slice(canvas.top, canvas.top + height)
        out[:, rows, canvas.left : canvas.left + width] = values
        values = out
    return values if part is None else part.of_planes(values)

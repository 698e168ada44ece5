"""Cells of YOLO's maps: what they have, and which of them a box is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..op import require
from ..types import I32, TensorType

FIELDS = 5
"""Of a cell before its classes: x, y, width, height, and whether there is an object."""


def check_cells(inputs: Sequence[TensorType], anchors: int, classes: int) -> None:
    """Raise TypeError unless told[N, A, 5 + classes, H, W], truth[T, 5], seen, assigned fit."""
    told, truth, seen, assigned = inputs
    check_told(told, anchors, classes)
    require(truth.rank == 2 and truth.shape[1] == 5, f"truth is rows of 5, not {truth}")
    require(told.dtype.is_float and truth.dtype is told.dtype, f"{told} and {truth}")
    rows = TensorType(truth.shape[:1], I32)
    require(seen == rows and assigned == rows, f"{seen} and {assigned} for {truth}")


def check_told(told: TensorType, anchors: int, classes: int) -> None:
    """Raise TypeError unless it is [N, A, 5 + classes, H, W]."""
    require(
        told.rank == 5 and told.shape[1:3] == (anchors, FIELDS + classes),
        f"{told} for {anchors} anchors and {classes} classes",
    )


def rows_in(truth: np.ndarray, image: np.ndarray, images: int) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of truth with the numbers of their images, without those in none."""
    for number in np.flatnonzero((image >= 0) & (image < images)):
        yield int(image[number]), truth[number]


def truncated(number: np.floating) -> int:
    """A number without its fraction; what no i32 holds becomes the least one, as in C++ on x86."""
    return int(number) if abs(number) < 2.0**31 else -(2**31)


def squashed(x: np.ndarray) -> np.ndarray:
    """The sigmoid as darknet computes it: through 1 + exp(-x), which may overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), x.dtype)


def predicted_boxes(
    told: np.ndarray, centres: np.ndarray, anchors: np.ndarray, image: np.ndarray
) -> np.ndarray:
    """x, y, width and height in shares of the image, (4, N, A, H, W).

    Args:
        told: [N, A, 5 + classes, H, W], of which the logarithms of width and height are read.
        centres: [N, A, 2, H, W], x and y within the cell.
        anchors: (A, 2) widths and heights in pixels of ``image``, its width and height.
    """
    height, width = told.shape[3:]
    columns = np.arange(width, dtype=told.dtype)
    rows = np.arange(height, dtype=told.dtype)[:, np.newaxis]
    sizes = anchors[:, :, np.newaxis, np.newaxis]
    return np.stack(
        [
            (columns + centres[:, :, 0]) / width,
            (rows + centres[:, :, 1]) / height,
            np.exp(told[:, :, 2]) * sizes[:, 0] / image[0],
            np.exp(told[:, :, 3]) * sizes[:, 1] / image[1],
        ]
    )


def cell_of(box: np.ndarray, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Column and row of the centre of a box (x, y, ...) in shares of the image, as darknet cuts
    them off, and the cell (row, column) where that is in memory; None: nowhere."""
    i, j = truncated(box[0] * width), truncated(box[1] * height)
    place = j * width + i
    if not 0 <= place < height * width:
        return None
    return i, j, *divmod(place, width)

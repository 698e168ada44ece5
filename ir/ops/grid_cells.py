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
    require(
        told.rank == 5 and told.shape[1:3] == (anchors, FIELDS + classes),
        f"{told} for {anchors} anchors and {classes} classes",
    )
    require(truth.rank == 2 and truth.shape[1] == 5, f"truth is rows of 5, not {truth}")
    require(told.dtype.is_float and truth.dtype is told.dtype, f"{told} and {truth}")
    rows = TensorType(truth.shape[:1], I32)
    require(seen == rows and assigned == rows, f"{seen} and {assigned} for {truth}")


def rows_in(truth: np.ndarray, image: np.ndarray, images: int) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of truth with the numbers of their images, without those in none."""
    for number in np.flatnonzero((image >= 0) & (image < images)):
        yield int(image[number]), truth[number]


def truncated(number: np.floating) -> int:
    """A number without its fraction; what no i32 holds becomes the least one, as in C++ on x86."""
    return int(number) if abs(number) < 2.0**31 else -(2**31)


def cell_of(row: np.ndarray, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Column and row of a box's centre, as darknet cuts them off, and the cell (row, column) where
    that is in memory; None: nowhere."""
    i, j = truncated(row[1] * width), truncated(row[2] * height)
    place = j * width + i
    if not 0 <= place < height * width:
        return None
    return i, j, *divmod(place, width)

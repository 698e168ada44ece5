"""What the tops beside pictures say of the boxes in them, in the forms of three forks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..source import Shape
from .boxes import XMAX, XMIN, YMAX, YMIN, ObjectBoxes

SSD_COLUMNS = 8
YOLO_BOXES, YOLO_COLUMNS = 300, 5
GRID_NUMBERS = 7
"""Of a cell of a grid: two flags, a class and a box."""

_FIRST_CELL = 32
"""Pixels of a cell of the first grid, along one side; of each further grid half as many."""


class BoxTops(ABC):
    """How boxes are written to tops.

    Attributes:
        one_row_each: a top is as long as there are boxes in a batch.
    """

    one_row_each: ClassVar[bool] = False

    @abstractmethod
    def shapes(self, records: int, boxes: int, size: tuple[int, int]) -> list[Shape]:
        """Shapes of the tops of a batch of so many records and boxes in all.

        Args:
            size: height and width of the pictures.
        """

    @abstractmethod
    def write(self, found: Sequence[ObjectBoxes], tops: Sequence[np.ndarray]) -> None:
        """Fill the tops with the boxes of a batch's pictures."""


@dataclass(frozen=True)
class BoxRows(BoxTops):
    """(1, 1, boxes, 8): a row for each box, one of -1 where there is none.

    A row: picture, label, instance, xmin, ymin, xmax, ymax, difficult.
    weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp.
    """

    one_row_each = True

    def shapes(self, records: int, boxes: int, size: tuple[int, int]) -> list[Shape]:
        return [(1, 1, max(1, boxes), SSD_COLUMNS)]

    def write(self, found: Sequence[ObjectBoxes], tops: Sequence[np.ndarray]) -> None:
        rows = tops[0].reshape(-1, SSD_COLUMNS)
        rows[...] = -1
        end = 0
        for item, boxes in enumerate(found):
            begin, end = end, end + len(boxes)
            rows[begin:end, 0] = item
            rows[begin:end, 1] = boxes.labels
            rows[begin:end, 2] = boxes.instances
            rows[begin:end, 3:7] = boxes.corners
            rows[begin:end, 7] = boxes.difficult


@dataclass(frozen=True)
class YoloRows(BoxTops):
    """(N, 1, 300, 5): up to 300 boxes of each picture, and rows of zeros after them.

    A row: label - 1, the centre (x, y), width, height. The 301st box and those after it are left
    out; the fork writes them into the next picture's rows.
    eric612/MobileNet-YOLO: src/caffe/layers/annotated_data_layer.cpp, yolo_data_type.
    """

    def shapes(self, records: int, boxes: int, size: tuple[int, int]) -> list[Shape]:
        return [(records, 1, YOLO_BOXES, YOLO_COLUMNS)]

    def write(self, found: Sequence[ObjectBoxes], tops: Sequence[np.ndarray]) -> None:
        tops[0][...] = 0
        for rows, boxes in zip(tops[0][:, 0], found, strict=True):
            count = min(len(boxes), YOLO_BOXES)
            rows[:count, 0] = boxes.labels[:count] - 1
            rows[:count, 1:] = centred(boxes.corners[:count])


@dataclass(frozen=True)
class GridCells(BoxTops):
    """(N, 7 * side * side) for each grid: what has its centre in each cell of a picture.

    First a flag of each cell that its object is difficult, which is never told; then one that there
    is an object; its label, or -1; and its box: centre (x, y), width, height. Of several objects
    in a cell the last stands there.
    foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/layers/annotated_data_layer.cpp.

    Attributes:
        grids: how many; the cells of each are half as large as those of the one before.
    """

    grids: int

    def shapes(self, records: int, boxes: int, size: tuple[int, int]) -> list[Shape]:
        sides = [size[1] // (_FIRST_CELL >> i) for i in range(self.grids)]
        return [(records, GRID_NUMBERS * side * side) for side in sides]

    def write(self, found: Sequence[ObjectBoxes], tops: Sequence[np.ndarray]) -> None:
        for top in tops:
            for row, boxes in zip(top, found, strict=True):
                _write_grid(row, boxes)


def _write_grid(row: np.ndarray, boxes: ObjectBoxes) -> None:
    cells = len(row) // GRID_NUMBERS
    side = round(cells**0.5)
    row[...] = 0
    _, there, labels = row[: 3 * cells].reshape(3, cells)
    corners = row[3 * cells :].reshape(cells, 4)
    labels[...] = -1
    centres = centred(boxes.corners)
    places = np.floor(centres[:, :2] * np.float32(side)).astype(np.int64)
    columns, rows = np.clip(places, 0, side - 1).T
    for i, cell in enumerate((side * rows + columns).tolist()):
        there[cell] = 1
        labels[cell] = boxes.labels[i]
        corners[cell] = centres[i]


def centred(corners: np.ndarray) -> np.ndarray:
    """(n, 4) corners as centre (x, y), width and height."""
    left, top, right, bottom = corners[:, [XMIN, YMIN, XMAX, YMAX]].T
    half = np.float32(2)
    return np.stack([(left + right) / half, (top + bottom) / half, right - left, bottom - top], 1)

"""What Synopsys' losses of YOLOv2 and YOLOv3 want of each cell, less what it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType
from .centred_boxes import iou
from .grid_cells import FIELDS, cell_of, check_told, predicted_boxes, squashed, truncated

NUMBERS = 7
"""Of a cell of the labels: unused, whether there is a box, its class, and the box."""

_CLASS, _PLACE, _SIZE, _OBJECT, _BACKGROUND = range(5)
"""What is lost, and in which part of the sum."""

_EARLY_SCALE = 0.01
"""How much boxes are drawn to the anchors while training begins."""


@register
@dataclass(frozen=True)
class GridDeltas(Op):
    """(told[N,A,5+C,H,W], labels[N, 7*H*W], early i32[1]) -> (deltas like ``told``, lost[1]).

    Of each cell and anchor ``told`` has x, y before their sigmoids, logarithms of width and height
    relative to the anchor, and probabilities of an object and of C classes. A cell has at most one
    box of truth, in shares of the image, whose class is that of the cell its centre is in. A box
    trains that cell, and of all ``anchors`` the one most like it, if that is one of ``mask``, which
    tells those of told. Cells whose box is like one of truth by more than ``sure`` are trained by
    it, too. A delta is what a number is too large by, times a scale, and times the slope of the
    sigmoid where it is not that of a class. What is lost are sums of
    squares: of objects, classes and boxes per box that was assigned, of background per other cell
    and anchor; NaN where there is no box.

    Args:
        anchors: width and height of each, in pixels of an image of ``image`` (height, width), or of
            one that is ``pixels`` times as large as told where that is 0, 0.
        near: what is like a box of truth by more is no background.
        scales: of objects, of background, of classes, of boxes.
        rescore: objects should have as probability the overlap of what is predicted, else 1.
        apart: a class that a cell was trained for stays so when it is trained for another.
        all_background: what is near a box counts as background lost all the same.

    ``early`` other than 0: boxes are drawn to the anchors in the middle of cells.

    Sources: synopsys-caffe: src/caffe/layers/yolo_v2_loss_layer.cpp, yolo_v3_loss_layer.cpp.
    """

    anchors: tuple[float, ...]
    mask: tuple[int, ...]
    classes: int
    pixels: float
    near: float
    scales: tuple[float, ...]
    image: tuple[int, int] = (0, 0)
    sure: float = float("inf")
    rescore: bool = False
    apart: bool = False
    all_background: bool = False
    name = "grid_deltas"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        told, labels, early = inputs
        number = len(self.anchors) // 2
        require(
            number >= 1 and len(self.anchors) % 2 == 0,
            f"{len(self.anchors)} widths and heights of anchors",
        )
        require(all(0 <= m < number for m in self.mask), f"mask {self.mask} of {number} anchors")
        require(len(self.scales) == 4, f"{len(self.scales)} scales, not 4")
        check_told(told, len(self.mask), self.classes)
        require(told.dtype.is_float and labels.dtype is told.dtype, f"{told} and {labels}")
        cells = told.shape[3] * told.shape[4]
        require(
            labels.rank == 2 and labels.shape == (told.shape[0], NUMBERS * cells),
            f"{labels} for {told}",
        )
        require(early == TensorType((1,), I32), f"early is i32[1], not {early}")
        return (told, TensorType((1,), told.dtype))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        told, labels, early = inputs
        work = _Grid(self, told)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for image, row in enumerate(labels):
                work.train(image, row, bool(early[0]))
            return [work.deltas, np.array([work.total()], told.dtype)]


class _Grid:
    """One run of the op: deltas so far, and what was lost."""

    def __init__(self, op: GridDeltas, told: np.ndarray) -> None:
        self.op, self.told = op, told
        self.deltas = np.zeros_like(told)
        self.lost = np.zeros(5)
        self.count = 0
        self.height, self.width = told.shape[3:]
        height, width = op.image if any(op.image) else (self.height, self.width)
        pixels = 1.0 if any(op.image) else op.pixels
        self.image = np.array([width, height], told.dtype) * told.dtype.type(pixels)
        self.anchors = np.array(op.anchors, told.dtype).reshape(-1, 2)
        self.centres = squashed(told[:, :, :2])
        mine = self.anchors[list(op.mask)]
        self.boxes = predicted_boxes(told, self.centres, mine, self.image)

    def total(self) -> float:
        """The mean over boxes, and over cells and anchors that have none."""
        told = self.told
        others = len(told) * told.shape[1] * self.height * self.width - self.count
        parts = self.lost / np.array([self.count] * _BACKGROUND + [others])
        return float(parts.sum())

    def train(self, image: int, row: np.ndarray, early: bool) -> None:
        """By the labels of an image."""
        cells = self.height * self.width
        there = row[cells : 2 * cells]
        classes = row[2 * cells : 3 * cells].reshape(self.height, self.width)
        truth = row[3 * cells :].reshape(cells, 4)[there != 0]
        best, which = self._most_alike(image, truth)
        self._background(image, best)
        if early:
            self._draw_to_anchors(image)
        for place, y, x in np.argwhere(best > self.told.dtype.type(self.op.sure)):
            box = truth[which[place, y, x]]
            where = cell_of(box, self.height, self.width)
            if where is None:
                continue
            delta = self.deltas[image, place, :, y, x]
            delta[4] = -self._by_slope(1 - self.told[image, place, 4, y, x], image, place, y, x)
            self._classes(image, place, y, x, truncated(classes[where[2:]]))
            self._box(image, place, int(y), int(x), box)
        for box in truth:
            self._assign(image, box, classes)

    def _most_alike(self, image: int, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each anchor and cell, how much a box of truth is like what is predicted, and which."""
        best = np.zeros(self.boxes.shape[2:], self.told.dtype)
        which = np.zeros(best.shape, np.int64)
        for number, box in enumerate(truth):
            alike = iou(self.boxes[:, image], box.reshape(4, 1, 1, 1))
            better = alike > best
            best[better], which[better] = alike[better], number
        return best, which

    def _background(self, image: int, best: np.ndarray) -> None:
        there = self.told[image, :, 4]
        scale = self.op.scales[1]
        near = best > self.told.dtype.type(self.op.near)
        self.deltas[image, :, 4] = np.where(near, 0, scale * (there * (1 - there) * there))
        counted = there if self.op.all_background else there[~near]
        self.lost[_BACKGROUND] += scale * np.square(counted).sum()

    def _draw_to_anchors(self, image: int) -> None:
        """Boxes as large as their anchors in the middle of their cells."""
        told, centres, delta = self.told[image], self.centres[image], self.deltas[image]
        away = 0.5 - centres
        delta[:, :2] = -_EARLY_SCALE * (away * (centres * (1 - centres)))
        delta[:, 2:4] = _EARLY_SCALE * told[:, 2:4]
        self.lost[_PLACE] += _EARLY_SCALE * np.square(away).sum()
        self.lost[_SIZE] += _EARLY_SCALE * np.square(told[:, 2:4]).sum()

    def _assign(self, image: int, box: np.ndarray, classes: np.ndarray) -> None:
        op = self.op
        size = self.anchors / self.image
        at_zero = np.concatenate([np.zeros_like(size), size], axis=1).T
        alike = iou(at_zero, np.array([0, 0, box[2], box[3]], box.dtype)[:, np.newaxis])
        alike = np.where(alike > 0, alike, 0)
        anchor, where = int(np.argmax(alike)), cell_of(box, self.height, self.width)
        if anchor not in op.mask:
            return
        self.count += 1
        if where is None:
            return
        place, (y, x) = op.mask.index(anchor), where[2:]
        overlap = self._box(image, place, y, x, box)
        there = self.told[image, place, 4, y, x]
        lacks = (overlap if op.rescore else self.told.dtype.type(1)) - there
        self.lost[_OBJECT] += op.scales[0] * lacks**2
        delta = self.deltas[image, place, :, y, x]
        delta[4] = -op.scales[0] * self._by_slope(lacks, image, place, y, x)
        self._classes(image, place, y, x, truncated(classes[y, x]))

    def _by_slope(self, lacks: np.ndarray, image: int, place: int, y: int, x: int) -> np.ndarray:
        """Times the slope of the sigmoid that says whether there is an object."""
        there = self.told[image, place, 4, y, x]
        product: np.ndarray = lacks * (there * (1 - there))
        return product

    def _box(self, image: int, place: int, y: int, x: int, box: np.ndarray) -> np.ndarray:
        """Train one anchor of a cell for a box; how much they are one."""
        op, told = self.op, self.told[image, place, :, y, x]
        scale = op.scales[3] * (2 - box[2] * box[3])
        centre = self.centres[image, place, :, y, x]
        grid = np.array([self.width, self.height], told.dtype)
        away = box[:2] * grid - np.array([x, y], told.dtype) - centre
        size = np.log(box[2:] * self.image / self.anchors[op.mask[place]]) - told[2:4]
        delta = self.deltas[image, place, :, y, x]
        delta[:2] = -scale * away * (centre * (1 - centre))
        delta[2:4] = -scale * size
        self.lost[_PLACE] += scale * np.square(away).sum()
        self.lost[_SIZE] += scale * np.square(size).sum()
        overlap: np.ndarray = iou(self.boxes[:, image, place, y, x], box)
        return overlap

    def _classes(self, image: int, place: int, y: int, x: int, label: int) -> None:
        """Train one anchor of a cell for a class; a number of none is no class' target."""
        told, scale = self.told[image, place, FIELDS:, y, x], self.op.scales[2]
        delta = self.deltas[image, place, FIELDS:, y, x]
        if self.op.apart and delta[0] != 0:
            if 0 <= label < len(told):
                delta[label] = -scale * (1 - told[label])
            return
        lacks = (np.arange(len(told)) == label) - told
        delta[:] = -scale * lacks
        self.lost[_CLASS] += scale * np.square(lacks).sum()

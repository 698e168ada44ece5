"""What YOLOv2's RegionLoss wants of each cell, less what it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType
from .centred_boxes import iou

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


@register
@dataclass(frozen=True)
class RegionDeltas(Op):
    """(told[N,A,5+C,H,W], truth[T,5], seen i32[T], assigned i32[T]) -> deltas like ``told``.

    Of each cell and anchor ``told`` has x, y before their sigmoids, logarithms of width and height
    relative to the anchor, the probability of an object, and those of C classes. A row of
    ``truth`` is (class, x, y, width, height), all in shares of the image. Cells whose box overlaps
    one of those ``seen`` in their image by more than ``threshold`` are no background; those
    ``assigned`` to an image train the cell of their centre and the anchor most like them, the last
    one that does so. -1: in no image.

    A delta is what a number is too large by, times a scale, and times the slope of the sigmoid
    where there is one: the gradient of RegionLoss.

    Args:
        anchors: width and height of each, in cells.
        scales: of objects, of background, of classes, of boxes.
        by_anchor: anchors are compared with boxes, else what is predicted by them.
        rescore: objects should have as probability the overlap of what is predicted, else 1, and
            small boxes count more.
        bounded: as in intel/caffe: errors of boxes count as at most 1, and objects by the cube of
            what their probability lacks.

    Sources: eric612/MobileNet-YOLO and intel/caffe: src/caffe/layers/region_loss_layer.cpp.
    """

    anchors: tuple[float, ...]
    classes: int
    threshold: float
    scales: tuple[float, ...]
    by_anchor: bool = True
    rescore: bool = True
    bounded: bool = False
    name = "region_deltas"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        require(
            len(self.anchors) >= 2 and len(self.anchors) % 2 == 0,
            f"{len(self.anchors)} widths and heights of anchors",
        )
        require(len(self.scales) == 4, f"{len(self.scales)} scales, not 4")
        check_cells(inputs, len(self.anchors) // 2, self.classes)
        return (inputs[0],)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        told, truth, seen, assigned = inputs
        deltas = np.zeros_like(told)
        boxes = self._boxes(told)
        best = np.zeros(told.shape[:2] + told.shape[3:], told.dtype)
        for image, row in rows_in(truth, seen, len(told)):
            box = row[1:].reshape(4, 1, 1, 1)
            np.fmax(best[image], iou(boxes[:, image], box), out=best[image])
        there = told[:, :, 4]
        background = self.scales[1] * there * (1 - there) * there
        deltas[:, :, 4] = np.where(best > told.dtype.type(self.threshold), 0, background)
        for image, row in rows_in(truth, assigned, len(told)):
            self._train(told[image], boxes[:, image], deltas[image], row)
        return [deltas]

    def _boxes(self, told: np.ndarray) -> np.ndarray:
        """(4, N, A, H, W)."""
        height, width = told.shape[3:]
        anchors = np.array(self.anchors, told.dtype).reshape(-1, 2, 1, 1)
        columns = np.arange(width, dtype=told.dtype)
        rows = np.arange(height, dtype=told.dtype)[:, np.newaxis]
        return np.stack(
            [
                (columns + _sigmoid(told[:, :, 0])) / width,
                (rows + _sigmoid(told[:, :, 1])) / height,
                np.exp(told[:, :, 2]) * anchors[:, 0] / width,
                np.exp(told[:, :, 3]) * anchors[:, 1] / height,
            ]
        )

    def _train(
        self, told: np.ndarray, boxes: np.ndarray, deltas: np.ndarray, truth: np.ndarray
    ) -> None:
        """Of one image: told and deltas (A, 5+C, H, W), boxes (4, A, H, W), a row of truth."""
        height, width = told.shape[2:]
        where = cell_of(truth, height, width)
        if where is None:
            return
        column, line, y, x = where
        anchors = np.array(self.anchors, told.dtype).reshape(-1, 2)
        size = anchors / np.array([width, height], told.dtype)
        if not self.by_anchor:
            size = boxes[2:, :, y, x].T
        at_zero = np.concatenate([np.zeros_like(size), size], axis=1).T
        likeness = iou(at_zero, np.array([0, 0, truth[3], truth[4]], told.dtype)[:, np.newaxis])
        if not likeness.max(initial=0, where=likeness == likeness) > 0:
            return
        anchor = int(np.nanargmax(likeness))
        cell, delta = told[anchor, :, y, x], deltas[anchor, :, y, x]
        objects, _, classes, coordinates = self.scales
        overlap = iou(boxes[:, anchor, y, x], truth[1:])
        scale = coordinates
        if not self.rescore and not self.bounded:
            scale = coordinates * (2 - truth[3] * truth[4])
        told_xy = _sigmoid(cell[:2])
        away = np.concatenate(
            [
                np.array([truth[1] * width - column, truth[2] * height - line]) - told_xy,
                np.log(truth[3:] * np.array([width, height]) / anchors[anchor]) - cell[2:4],
            ]
        ).astype(told.dtype)
        if self.bounded:
            away = np.clip(away, -1, 1)
        away[:2] *= told_xy * (1 - told_xy)
        delta[:4] = -scale * away
        there = cell[4]
        if self.bounded:
            lacks = 2 * (1 - there) ** 3
        else:
            lacks = (overlap if self.rescore else 1) - there
        delta[4] = -objects * lacks * there * (1 - there)
        delta[5:] = classes * (cell[5:] - (np.arange(self.classes) == truncated(truth[0])))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    made: np.ndarray = 1 / (1 + np.exp(-x))
    return made

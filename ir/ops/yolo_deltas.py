"""What YOLOv3's loss wants of each cell, less what it has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import TensorType
from .centred_boxes import KINDS, Likeness, likeness, shape_loss
from .grid_cells import cell_of, check_cells, predicted_boxes, rows_in, truncated


@register
@dataclass(frozen=True)
class YoloDeltas(Op):
    """(told[N,A,5+C,H,W], truth[T,5], seen i32[T], assigned i32[T]) -> (deltas like ``told``,
    lost[1]).

    Of each cell and anchor ``told`` has x and y within the cell, logarithms of width and height
    relative to the anchor, and probabilities of an object and of C classes. A row of ``truth`` is
    (class, x, y, width, height), all in shares of the image. Cells whose box overlaps one of those
    ``seen`` in their image by more than ``threshold`` are no background; those ``assigned`` to an
    image train the cell of their centre: whichever of all ``anchors`` is most like the box, if that
    is one of ``mask``, which tells those of told, and all others of these that are like it by more
    than ``near``. -1: in no image. A delta is what a number is too large by, times a scale.
    ``lost`` is the mean of 1 - likeness of what is assigned.

    Args:
        anchors: width and height of each, in pixels of an image that is ``pixels`` times as large
            as told.
        kind: how much boxes are one: IOU, GIOU, DIOU, CIOU, or MSE: by IOU, and boxes are trained
            by the differences of their numbers, else by the gradient of that likeness.
        scales: of objects, of classes, of boxes (for MSE), of likeness.
        most: the largest gradient of a likeness.
        accumulate: boxes that train the same numbers add up their gradients.
        smoothing: a class should be 1 - smoothing / 2, and the others smoothing / 2.
        focal: classes count by how far they are off.

    Source: eric612/MobileNet-YOLO: src/caffe/layers/yolov3_layer.cpp.
    """

    anchors: tuple[float, ...]
    mask: tuple[int, ...]
    classes: int
    pixels: float
    threshold: float
    near: float
    kind: str
    scales: tuple[float, ...]
    most: float
    accumulate: bool = True
    smoothing: float = 0.0
    focal: bool = False
    name = "yolo_deltas"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        number = len(self.anchors) // 2
        require(
            number >= 1 and len(self.anchors) % 2 == 0,
            f"{len(self.anchors)} widths and heights of anchors",
        )
        require(all(0 <= m < number for m in self.mask), f"mask {self.mask} of {number} anchors")
        require(self.kind in KINDS, f"unknown kind {self.kind!r}")
        require(len(self.scales) == 4, f"{len(self.scales)} scales, not 4")
        check_cells(inputs, len(self.mask), self.classes)
        return (inputs[0], TensorType((1,), inputs[0].dtype))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        told, truth, seen, assigned = inputs
        work = _Cells(self, told)
        deltas = np.zeros_like(told)
        best = np.zeros(told.shape[:2] + told.shape[3:], told.dtype)
        for image, row in rows_in(truth, seen, len(told)):
            box = row[1:].reshape(4, 1, 1, 1)
            np.fmax(best[image], work.like(work.boxes[:, image], box), out=best[image])
        deltas[:, :, 4] = np.where(best > told.dtype.type(self.threshold), 0, told[:, :, 4])
        for image, row in rows_in(truth, assigned, len(told)):
            work.assign(image, row, deltas[image])
        lost = [work.lost / work.count if work.count else 0.0]
        return [deltas, np.array(lost, told.dtype)]


class _Cells:
    """One run of the op: what is predicted, and what was lost by boxes that were assigned."""

    def __init__(self, op: YoloDeltas, told: np.ndarray) -> None:
        self.op = op
        self.told = told
        self.like: Likeness = likeness(op.kind)
        self.count = 0
        self.lost = 0.0
        self.height, self.width = told.shape[3:]
        self.anchors = np.array(op.anchors, told.dtype).reshape(-1, 2)
        image = np.array([self.width, self.height], told.dtype) * told.dtype.type(op.pixels)
        self.sizes = self.anchors / image  # shares of the image
        self.image = image
        self.boxes = predicted_boxes(told, told[:, :, :2], self.anchors[list(op.mask)], image)

    def assign(self, image: int, truth: np.ndarray, deltas: np.ndarray) -> None:
        """Train cells of one image by a row of truth."""
        op = self.op
        where = cell_of(truth[1:], self.height, self.width)
        if where is None:
            return
        at_zero = np.concatenate([np.zeros_like(self.sizes), self.sizes], axis=1).T
        box = np.array([0, 0, truth[3], truth[4]], truth.dtype)[:, np.newaxis]
        alike = self.like(at_zero, box)
        best = -1
        if alike.max(initial=0, where=alike == alike) > 0:
            best = int(np.nanargmax(alike))
        if best in op.mask:
            # Caffe goes on with the place in the mask for the anchor's number.
            best = op.mask.index(best)
            self._train(image, best, where, truth, deltas)
        if op.near >= 1.0:
            return
        for number, value in enumerate(alike):
            if number in op.mask and number != best and value > truth.dtype.type(op.near):
                self._train(image, op.mask.index(number), where, truth, deltas)

    def _train(
        self,
        image: int,
        place: int,
        where: tuple[int, int, int, int],
        truth: np.ndarray,
        deltas: np.ndarray,
    ) -> None:
        """One anchor, the number ``place`` of the mask; deltas (A, 5+C, H, W)."""
        column, line, y, x = where
        cell, delta = self.told[image, place, :, y, x], deltas[place, :, y, x]
        box, expected = self.boxes[:, image, place, y, x], truth[1:]
        objects, classes, coordinates, weight = self.op.scales
        found = self._lost_kind()(box, expected)
        if self.op.kind == "MSE":
            wanted = [truth[1] * self.width - column, truth[2] * self.height - line]
            size = np.log(truth[3:] * self.image / self.anchors[self.op.mask[place]])
            scale = coordinates * (2 - truth[3] * truth[4])
            delta[:4] = -scale * (np.array([*wanted, *size]) - cell[:4])
        else:
            slope = likeness_gradient(box, expected, self.op.kind)
            slope[2:] *= np.exp(cell[2:4])
            slope *= weight
            slope[~np.isfinite(slope)] = 0
            slope = np.clip(slope, -self.op.most, self.op.most)
            delta[:4] = (delta[:4] if self.op.accumulate else 0) - slope
        self.count += 1
        self.lost += 1 - float(found)
        delta[4] = -objects * (1 - cell[4])
        self._train_classes(cell[5:], delta[5:], truncated(truth[0]), classes)

    def _lost_kind(self) -> Likeness:
        """What lacks of 1 is lost: with IOU it is the likeness of DIOU."""
        return likeness("DIOU" if self.op.kind == "IOU" else self.op.kind)

    def _train_classes(self, told: np.ndarray, delta: np.ndarray, label: int, scale: float) -> None:
        if not 0 <= label < self.op.classes:
            return
        smoothing = self.op.smoothing
        wanted = (np.arange(self.op.classes) == label).astype(told.dtype)
        if smoothing:
            wanted = wanted * (1 - smoothing) + 0.5 * smoothing
        if delta[label]:  # trained before, for this class or another
            delta[label] = -scale * (wanted[label] - told[label])
        elif self.op.focal:
            share = float(told[label]) + 1e-15
            slope = -(1 - share) * (2 * share * math.log(share) + share - 1)
            delta[:] = -scale * ((np.arange(self.op.classes) == label) - told) * 0.5 * slope
        else:
            away = wanted - told
            delta[:] = np.where(np.isfinite(away), -scale * away, delta)


def likeness_gradient(box: np.ndarray, truth: np.ndarray, kind: str) -> np.ndarray:
    """Of a likeness, by the numbers of ``box`` (width and height: twice that, as darknet has it).

    What GIOU, DIOU and CIOU add to that of IOU is all that there is where boxes do not meet.
    Source: dx_box_iou of yolov3_layer.cpp.
    """
    low, high = box[:2] - box[2:] / 2, box[:2] + box[2:] / 2
    low, high = np.minimum(low, high), np.maximum(low, high)
    from_, to = truth[:2] - truth[2:] / 2, truth[:2] + truth[2:] / 2
    size = high - low
    common = np.minimum(high, to) - np.maximum(low, from_)
    around = np.maximum(high, to) - np.minimum(low, from_)
    inner = common[0] * common[1]
    union = size[0] * size[1] + (to - from_).prod() - inner
    # Along x and y: derivatives by the lower and by the upper side.
    other_size, other_common, other_around = size[::-1], common[::-1], around[::-1]
    before, after = low < from_, high > to
    zero = np.zeros_like(low)
    d_inner = np.stack(
        [np.where(low > from_, -other_common, zero), np.where(high < to, other_common, zero)]
    )
    d_union = np.stack([-other_size, other_size]) - d_inner
    slope = np.zeros_like(d_inner)
    if union > 0:
        slope = (union * d_inner - inner * d_union) / union**2
    meets = common[0] > 0 and common[1] > 0
    if kind == "GIOU":
        hull = around[0] * around[1]
        d_hull = np.stack(
            [np.where(before, -other_around, zero), np.where(after, other_around, zero)]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            outer = (hull * d_union - union * d_hull) / hull**2
        if not meets:
            slope = outer
        elif hull > 0:
            slope = slope + outer
    by_centre, by_size = slope[0] + slope[1], slope[1] - slope[0]
    if kind in ("DIOU", "CIOU"):
        diagonal, apart = (around**2).sum(), ((box[:2] - truth[:2]) ** 2).sum()
        grows = 2 * around * apart
        d_centre = after.astype(box.dtype) - before
        d_size = (after.astype(box.dtype) + before) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            outer_centre = (2 * (truth[:2] - box[:2]) * diagonal - grows * d_centre) / diagonal**2
            outer_size = grows * d_size / diagonal**2
            if kind == "CIOU":
                outer_size = outer_size + _shape_gradient(box, truth, inner / union)
        if not meets:
            by_centre, by_size = outer_centre, outer_size
        elif diagonal > 0:
            by_centre, by_size = by_centre + outer_centre, by_size + outer_size
    return np.concatenate([by_centre, by_size]).astype(box.dtype)


def _shape_gradient(box: np.ndarray, truth: np.ndarray, overlap: float) -> np.ndarray:
    """What CIOU adds by width and height."""
    shape = shape_loss(box, truth)
    share = shape / (1 - overlap + shape + 0.000001)
    away = 8 / np.pi**2 * (np.arctan(truth[2] / truth[3]) - np.arctan(box[2] / box[3]))
    gradient: np.ndarray = share * away * np.array([box[3], -box[2]], box.dtype)
    return gradient

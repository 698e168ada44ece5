"""Boxes of YOLOv2's cells told right or wrong by ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import TensorType
from .grid_cells import squashed

SCORES = ("OBJ", "PROB", "MULTIPLY")
_LEAST_SCORE = 0.005


@register
@dataclass(frozen=True)
class EvaluateCells(Op):
    """(told[N,S,S,B,5+K], truth[G,8]) -> rows[N,K+S*S*B*4].

    ``told`` has for every cell and box (x, y, width, height, objectness, scores of K classes)
    before sigmoids and softmax, ``truth`` rows (image, class from 1 on, instance, x1, y1, x2, y2,
    difficult). A row of the result tells of one image: numbers of boxes in truth by class, then
    (class, score, right, wrong) for each box that non-maximum suppression over all classes keeps,
    class by class, the best first; then zeros.

    Args:
        biases: width and height of each of the B boxes, in cells.
        threshold: from which overlap a box is right; a second one of the same object is wrong.
        nms: from which overlap a better box suppresses another; below 0: no box is told of.
        score: which of the objectness, the class's probability, and their product is the score.

    Source: intel/caffe: src/caffe/layers/eval_detection_layer.cpp. A box that overlaps what there
    is of its class by less than the threshold is neither right nor wrong there.
    """

    biases: tuple[float, ...]
    threshold: float
    nms: float
    score: str = "MULTIPLY"
    name = "evaluate_cells"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        told, truth = inputs
        require(told.rank == 5 and told.shape[4] > 5, f"cells are [N,S,S,B,5+K], not {told}")
        require(truth.rank == 2 and truth.shape[1] == 8, f"truth is rows of 8, not {truth}")
        require(told.dtype.is_float and truth.dtype is told.dtype, f"{told} and {truth}")
        n, rows, columns, boxes, width = told.shape
        require(len(self.biases) == 2 * boxes, f"{len(self.biases)} biases for {boxes} boxes")
        require(self.score in SCORES, f"unknown score {self.score!r}")
        return (TensorType((n, width - 5 + rows * columns * boxes * 4), told.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        told, truth = inputs
        made = np.zeros(results[0].shape, told.dtype)
        classes = told.shape[4] - 5
        for image in range(len(told)):
            expected = _boxes_of(truth, image, classes)
            for label, boxes in expected.items():
                made[image, label] = len(boxes)
            rows = self._rows(told[image], expected)
            if rows:
                flat = np.array(rows, told.dtype).ravel()
                made[image, classes : classes + len(flat)] = flat
        return [made]

    def _rows(
        self, told: np.ndarray, expected: dict[int, np.ndarray]
    ) -> list[tuple[float, float, float, float]]:
        if self.nms < 0:
            return []
        labels, scores, boxes = self._predicted(told)
        kept = self._kept(scores, boxes)
        rows = []
        for label in sorted(set(labels[kept].tolist())):
            truth = expected.get(label)
            found = np.zeros(0 if truth is None else len(truth), bool)
            for i in kept[labels[kept] == label]:
                right, wrong = 0.0, 0.0
                if truth is None:
                    wrong = 1.0
                else:
                    overlaps = _overlaps(boxes[i], truth)
                    best = int(np.argmax(overlaps))
                    if overlaps[best] >= np.float32(self.threshold):
                        right, wrong = float(not found[best]), float(found[best])
                        found[best] = True
                rows.append((float(label), float(scores[i]), right, wrong))
        return rows

    def _predicted(self, told: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Class, score and box (centre, size) of every box, in the order of cells."""
        side_h, side_w, count, _ = told.shape
        column, row = np.arange(side_w)[None, :, None], np.arange(side_h)[:, None, None]
        sizes = np.array(self.biases, told.dtype).reshape(count, 2)
        with np.errstate(over="ignore", invalid="ignore"):
            x = (column + squashed(told[..., 0])) / side_w
            y = (row + squashed(told[..., 1])) / side_h
            w = np.exp(told[..., 2]) * sizes[:, 0] / side_w
            h = np.exp(told[..., 3]) * sizes[:, 1] / side_h
            powers = np.exp(told[..., 5:] - told[..., 5:].max(axis=-1, keepdims=True))
            chances = powers / powers.sum(axis=-1, keepdims=True)
            objectness = squashed(told[..., 4])
        best = chances.max(axis=-1)
        score = {"OBJ": objectness, "PROB": best, "MULTIPLY": objectness * best}[self.score]
        boxes = np.stack([x, y, w, h], axis=-1).reshape(-1, 4)
        return chances.argmax(axis=-1).ravel(), score.ravel(), boxes

    def _kept(self, scores: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Places of the boxes that no better one suppresses, the best first."""
        order = np.argsort(-scores, kind="stable")
        alive = np.ones(len(order), bool)
        kept = []
        for place, i in enumerate(order):
            if not alive[place]:
                continue
            if scores[i] >= _LEAST_SCORE:
                kept.append(i)
            later = order[place + 1 :]
            alive[place + 1 :] &= ~(_overlaps(boxes[i], boxes[later]) >= np.float32(self.nms))
        return np.array(kept, int)


def _boxes_of(truth: np.ndarray, image: int, classes: int) -> dict[int, np.ndarray]:
    """Boxes (centre, size) of an image by class; those of classes that there are not are left."""
    found: dict[int, list[np.ndarray]] = {}
    for row in truth[truth[:, 0] == image]:
        label = int(row[1]) - 1
        if 0 <= label < classes:
            corner, other = row[3:5], row[5:7]
            box = np.concatenate([(corner + other) / 2, other - corner])
            found.setdefault(label, []).append(box)
    return {label: np.stack(boxes) for label, boxes in found.items()}


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of one box with others: shared area by joined area; 0 where they do not meet."""
    low = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    sides = high - low
    shared = sides[:, 0] * sides[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        joined = box[2] * box[3] + others[:, 2] * others[:, 3] - shared
        share = shared / joined
    return np.where((sides < 0).any(axis=1) | ~np.isfinite(share), 0.0, share)

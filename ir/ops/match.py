"""Which boxes lie where boxes that are looked for lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class Match(Op):
    """(boxes[B,P,4], truth[G,4], owner i32[G]) -> (matched i32[S,P], overlap[S,P]).

    The rows of ``truth`` belong to S = ``sets`` sets, ``owner`` says to which; a row whose owner
    is none of them is looked for nowhere. Those of set s are looked for among ``boxes[s]``, or
    among ``boxes[0]`` where B is 1. ``matched`` is the row of ``truth`` that a box goes with, or
    -1; ``overlap`` the area that both have in common over that of both together, or, of a box that
    goes with none, the largest overlap with any of its set. Overlaps up to 1e-6 count as none.

    First the pair that overlaps most is matched, then the one that does of what is left, until
    every row has a box or overlaps none that is free; of equal pairs the one with the first box,
    then with the first row. Then, with ``rest``, each box that is free goes with the row that it
    overlaps most, if that is at least ``threshold``.

    ``inside``: a box that is not within 0..1 goes with none; it is -2, and its overlap 0. (In a set
    without rows every box is -1.)

    Source: weiliu89/caffe, ssd: src/caffe/util/bbox_util.cpp (MatchBBox).
    """

    sets: int
    threshold: float
    rest: bool = True
    inside: bool = False
    name = "match"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        boxes, truth, owner = inputs
        require(boxes.rank == 3 and boxes.shape[2] == 4, f"boxes are rows of 4, not {boxes}")
        require(truth.rank == 2 and truth.shape[1] == 4, f"truth is rows of 4, not {truth}")
        require(boxes.dtype.is_float and not boxes.dtype.is_narrow, f"boxes of {boxes.dtype}")
        require(truth.dtype is boxes.dtype, f"boxes of {boxes.dtype}, truth of {truth.dtype}")
        rows = TensorType(truth.shape[:1], I32)
        require(owner == rows, f"{owner} for {truth}: one owner a row")
        alone = boxes.shape[0] == 1
        require(alone or boxes.shape[0] == self.sets, f"{boxes} for {self.sets} sets")
        shape = (self.sets, boxes.shape[1])
        return (TensorType(shape, I32), TensorType(shape, boxes.dtype))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        boxes, truth, owner = inputs
        matched = np.full(results[0].shape, -1, np.int32)
        overlap = np.zeros(results[0].shape, boxes.dtype)
        corners = [np.ascontiguousarray(np.moveaxis(boxes, 2, 0))[:, s] for s in range(len(boxes))]
        for s in range(len(matched)):
            rows = np.flatnonzero(owner == s)
            if rows.size:
                where = corners[s if len(corners) > 1 else 0]
                self._match(where, truth[rows], rows, matched[s], overlap[s])
        return [matched, overlap]

    def _match(
        self,
        boxes: np.ndarray,
        truth: np.ndarray,
        rows: np.ndarray,
        matched: np.ndarray,
        overlap: np.ndarray,
    ) -> None:
        """One set: ``boxes[4,P]`` and the ``rows`` of truth, whose corners ``truth`` holds."""
        overlaps = _overlaps(boxes, truth)
        if self.inside:
            outside = ((boxes < 0) | (boxes > 1)).any(axis=0)
            matched[outside] = -2
            overlaps[:, outside] = 0
        overlaps[overlaps <= 1e-6] = 0
        np.max(overlaps, axis=0, out=overlap)
        free = overlaps.copy()
        best = free.argmax(axis=1)
        left = list(range(len(rows)))
        while left:
            value = [free[row, best[row]] for row in left]
            chosen = min(left, key=lambda row: (-free[row, best[row]], best[row], row))
            if not max(value) > 0:
                break
            box = int(best[chosen])
            matched[box], overlap[box] = rows[chosen], overlaps[chosen, box]
            left.remove(chosen)
            free[:, box] = 0
            for row in left:
                if best[row] == box:
                    best[row] = free[row].argmax()
        if self.rest:
            near = (matched == -1) & (overlap > 0) & (overlap >= boxes.dtype.type(self.threshold))
            places = np.flatnonzero(near)
            matched[places] = rows[overlaps[:, places].argmax(axis=0)]


def _overlaps(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of ``boxes[4,P]`` with the rows of ``truth[G,4]``: [G,P]."""
    x1, y1, x2, y2 = boxes
    a1, b1, a2, b2 = truth.T[:, :, np.newaxis]
    width = np.minimum(x2, a2)
    width -= np.maximum(x1, a1)
    height = np.minimum(y2, b2)
    height -= np.maximum(y1, b1)
    common = np.maximum(width, 0, out=width)
    common *= np.maximum(height, 0, out=height)
    union = np.subtract(_area(x1, y1, x2, y2) + _area(a1, b1, a2, b2), common, out=height)
    return np.divide(common, union, out=np.zeros_like(common), where=common > 0)


def _area(x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray) -> np.ndarray:
    """Of boxes; 0 of those that end before they begin."""
    return np.where((x2 < x1) | (y2 < y1), np.zeros((), x1.dtype), (x2 - x1) * (y2 - y1))

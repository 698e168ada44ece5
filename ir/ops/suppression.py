"""Boxes that overlap better ones, left out: non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class NonMaximum(Op):
    """(boxes[R,K,4], counts i32[R]) -> (kept i32[R,K]: 1 or 0, how many of a row i32[R]).

    A row holds boxes (x1, y1, x2, y2), the best first, of which the first ``counts[r]`` are there.
    In this order a box is kept unless the area that it has in common with one that was kept is
    more than ``threshold`` of the area of both together (``touching``: that much or more).

    Args:
        eta: whenever a box was kept and the threshold is above 0.5, it becomes ``eta`` times as
            large for those after it.
        most: so many are kept at most; 0: all.
        pixel: 1 where coordinates count pixels, so that a box from 3 to 3 is one wide, else 0.

    Areas of boxes that end before they begin are 0, and whose union is 0 do not overlap.
    Sources: weiliu89/caffe, ssd: src/caffe/util/bbox_util.cpp (ApplyNMSFast, JaccardOverlap);
    rbgirshick/py-faster-rcnn: lib/nms/py_cpu_nms.py.
    """

    threshold: float
    eta: float = 1.0
    most: int = 0
    pixel: int = 0
    touching: bool = False
    name = "non_maximum"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        boxes, counts = inputs
        require(boxes.rank == 3 and boxes.shape[2] == 4, f"boxes are rows of 4, not {boxes}")
        require(boxes.dtype.is_float and not boxes.dtype.is_narrow, f"boxes of {boxes.dtype}")
        rows = TensorType(boxes.shape[:1], I32)
        require(counts == rows, f"{counts} for {boxes}: one count a row")
        require(0.0 < self.eta <= 1.0, f"eta {self.eta} is not above 0 and at most 1")
        require(self.most >= 0 and self.pixel in (0, 1), f"most {self.most}, pixel {self.pixel}")
        return (TensorType(boxes.shape[:2], I32), rows)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        boxes, counts = inputs
        kept = np.zeros(boxes.shape[:2], np.int32)
        for row, count in enumerate(np.clip(counts, 0, boxes.shape[1])):
            self._suppress(boxes[row, :count], kept[row])
        return [kept, kept.sum(axis=1, dtype=np.int32)]

    def _suppress(self, boxes: np.ndarray, kept: np.ndarray) -> None:
        """Mark what is kept of one row."""
        x1, y1, x2, y2 = boxes.T
        pixel, threshold = boxes.dtype.type(self.pixel), boxes.dtype.type(self.threshold)
        there = (x2 >= x1) & (y2 >= y1)
        area = np.where(there, (x2 - x1 + pixel) * (y2 - y1 + pixel), 0)
        most = self.most or len(boxes)
        largest = np.full(len(boxes), -1, boxes.dtype)  # overlap with any that was kept
        found = 0
        for i in range(len(boxes)):
            if found == most:
                break
            if largest[i] >= threshold if self.touching else largest[i] > threshold:
                continue
            kept[i] = 1
            found += 1
            width = np.minimum(x2, x2[i]) - np.maximum(x1, x1[i]) + pixel
            height = np.minimum(y2, y2[i]) - np.maximum(y1, y1[i]) + pixel
            common = np.maximum(width, 0) * np.maximum(height, 0)
            union = area + area[i] - common
            overlap = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
            np.maximum(largest, overlap, out=largest)
            if self.eta < 1.0 and threshold > 0.5:
                threshold *= boxes.dtype.type(self.eta)

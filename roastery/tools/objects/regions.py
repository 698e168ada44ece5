"""Faster R-CNN and R-FCN: classes and moves of regions become objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.ops.suppression import NonMaximum
from ir.types import F32, I32, TensorType, shape_text

from ...caffe import Net
from .found import PictureObject

_LARGEST = np.float32(np.log(1000.0 / 16.0))
"""Of logarithms of how much larger boxes become: no box is endless."""


@dataclass(frozen=True)
class RegionNet:
    """Names of blobs: regions (R, 5), scores (R, classes), moves (R, 4 * classes or 8)."""

    regions: str
    scores: str
    moves: str

    def objects(
        self,
        net: Net,
        scale: float,
        size: tuple[int, int],
        box_scales: np.ndarray,
        threshold: float,
        overlap: float,
    ) -> list[PictureObject]:
        """Of every class but the first, which is none, what no better box overlaps.

        Args:
            scale: how much larger the picture was made. size: its own height and width.
        """
        regions = net.blobs[self.regions].data
        count = len(regions)
        scores = net.blobs[self.scores].data.reshape(count, -1)
        moves = net.blobs[self.moves].data.reshape(count, -1, 4) * box_scales
        boxes = regions.reshape(count, 5)[:, 1:] / np.float32(scale)
        found = []
        for label in range(1, scores.shape[1]):
            rows = np.flatnonzero(scores[:, label] >= threshold)
            rows = rows[np.argsort(-scores[rows, label], kind="stable")]
            own = label if moves.shape[1] > 2 else moves.shape[1] - 1
            moved = _moved(boxes[rows], moves[rows, own], size)
            for i in _kept(moved, overlap):
                x1, y1, x2, y2 = map(float, moved[i])
                found.append(PictureObject(label, float(scores[rows[i], label]), (x1, y1, x2, y2)))
        return found


def regions_of(net: Net, model: str) -> RegionNet:
    """Where a net has regions, and what it says of them. Raises RoasteryError."""
    regions = [
        bottoms[1]
        for bottoms in net.bottom_names.values()
        if len(bottoms) == 2 and _pools(*(net.blobs[name].data.shape for name in bottoms))
    ]
    outputs = {name: net.blobs[name].data for name in net.outputs}
    widths = {name: a.size // max(len(a), 1) if a.ndim else 0 for name, a in outputs.items()}
    pairs = [
        (scores, moves)
        for scores in outputs
        for moves in outputs
        if scores != moves and widths[scores] > 1 and widths[moves] in (8, 4 * widths[scores])
        and widths[moves] > widths[scores]
    ]  # fmt: skip
    if not regions or len(pairs) != 1:
        shown = ", ".join(f"'{name}' {shape_text(a.shape)}" for name, a in outputs.items())
        raise RoasteryError(
            f"the outputs of '{model}' are {shown}; scores (regions, classes) and moves of boxes "
            "(regions, 4 * classes) of pooled regions are expected",
            hint="detect_objects runs SSD, YOLO, Faster R-CNN and R-FCN nets as they are deployed",
        )
    # Regions may be split: all pooling layers pool the same ones.
    return RegionNet(regions[0], *pairs[0])


def _pools(maps: tuple[int, ...], rows: tuple[int, ...]) -> bool:
    """Whether a layer reads a map, and rows of an image and the edges of a box."""
    return len(maps) == 4 and len(rows) in (2, 4) and math.prod(rows[1:]) == 5


def _moved(boxes: np.ndarray, moves: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes moved, and cut off at the borders of the picture.

    rbgirshick/py-faster-rcnn: lib/fast_rcnn/test.py, lib/fast_rcnn/bbox_transform.py.
    """
    extent = boxes[:, 2:] - boxes[:, :2] + 1
    center = boxes[:, :2] + extent / 2 + moves[:, :2] * extent
    half = np.exp(np.minimum(moves[:, 2:], _LARGEST)) * extent / 2
    last = np.array([size[1] - 1, size[0] - 1] * 2, np.float32)
    return np.clip(np.hstack([center - half, center + half]), 0, last)


def _kept(boxes: np.ndarray, overlap: float) -> np.ndarray:
    """Numbers of the boxes, the best first, that no better one overlaps by more."""
    op = NonMaximum(overlap, pixel=1)
    counts = np.array([len(boxes)], np.int32)
    types = op.infer([TensorType((1, *boxes.shape), F32), TensorType((1,), I32)])
    flags, _ = op.reference([boxes[np.newaxis], counts], types)
    return np.flatnonzero(flags[0])

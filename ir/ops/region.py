"""Maxima over a grid laid on regions of images (ROI pooling), and their adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import I32, TensorType
from ..value import Value


@dataclass(frozen=True)
class _Grid:
    """Where the cells of all regions lie in the features: start and end per axis, [R, cells]."""

    image: np.ndarray  # [R]
    top: np.ndarray
    bottom: np.ndarray
    left: np.ndarray
    right: np.ndarray


@register
@dataclass(frozen=True)
class RegionMax(Op):
    """(x[N,C,H,W], regions[R,5]) -> largest element per cell [R,C,rows,columns], its place i32.

    A region is (image, x1, y1, x2, y2), corners included, in units of 1 / ``scale``. The place is
    h * W + w, of the first of equal elements. A cell without an element gives 0 and place -1.
    A pure function that has no kernel yet: HOST, not EFFECT.
    rbgirshick/caffe-fast-rcnn: src/caffe/layers/roi_pooling_layer.cpp.
    """

    rows: int
    columns: int
    scale: float
    name = "region_max"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, regions = inputs
        require(x.rank == 4 and regions.shape[1:] == (5,), f"{x} and {regions}")
        require(not regions.dtype.is_narrow, f"regions of {regions.dtype}: pixels need f32")
        require(self.rows > 0 and self.columns > 0, f"a grid of {self.rows} x {self.columns}")
        shape = (regions.shape[0], x.shape[1], self.rows, self.columns)
        return (TensorType(shape, x.dtype), TensorType(shape, I32))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, regions = inputs
        images, channels, height, width = x.shape
        grid = self._grid(regions, images, height, width)
        spots = images * height * width
        pixels = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).reshape(spots, channels)
        count = len(regions)
        lowest = np.finfo(np.float32).min
        best = np.full((count, self.rows, self.columns, channels), lowest, x.dtype)
        place = np.full(best.shape, -1, np.int32)
        # One pass per offset inside a cell, over all cells and channels.
        for dh in range(int((grid.bottom - grid.top).max(initial=0))):
            h = grid.top + dh
            for dw in range(int((grid.right - grid.left).max(initial=0))):
                w = grid.left + dw
                inside = (h < grid.bottom)[:, :, None] & (w < grid.right)[:, None, :]
                region, row, column = np.nonzero(inside)
                spot = h[region, row] * width + w[region, column]
                values = pixels[grid.image[region] * (height * width) + spot]
                old = best[region, row, column]
                better = values > old
                best[region, row, column] = np.where(better, values, old)
                place[region, row, column] = np.where(
                    better, spot[:, None].astype(np.int32), place[region, row, column]
                )
        filled = (grid.bottom > grid.top)[:, :, None] & (grid.right > grid.left)[:, None, :]
        best[~filled] = 0.0
        return [
            np.ascontiguousarray(best.transpose(0, 3, 1, 2)),
            np.ascontiguousarray(place.transpose(0, 3, 1, 2)),
        ]

    def _grid(self, regions: np.ndarray, images: int, height: int, width: int) -> _Grid:
        # In float32 whatever the features are, so that cells do not depend on their type.
        regions = regions.astype(np.float32)
        scaled = regions[:, 1:] * np.float32(self.scale)
        corners = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int64)
        left, right = _cells(corners[:, 0], corners[:, 2], self.columns, width)
        top, bottom = _cells(corners[:, 1], corners[:, 3], self.rows, height)
        image = regions[:, 0].astype(np.int64)
        known = (image >= 0) & (image < images)
        return _Grid(
            np.where(known, image, 0), top, np.where(known[:, None], bottom, top), left, right
        )

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        g = at.cotangents[0]
        if g is None or not at.wanted[0]:
            return [None, None]
        x, regions = at.inputs
        return [b.emit(RegionScatter(x.shape), g, at.outputs[1], regions), None]


def _cells(
    first: np.ndarray, last: np.ndarray, count: int, extent: int
) -> tuple[np.ndarray, np.ndarray]:
    """Start (included) and end (not included) of every cell of an axis, clipped: [R, count]."""
    size = np.maximum(last - first + 1, 1)[:, None].astype(np.float32) / np.float32(count)
    steps = np.arange(count + 1, dtype=np.float32)
    start = np.floor(steps[:-1] * size).astype(np.int64) + first[:, None]
    end = np.ceil(steps[1:] * size).astype(np.int64) + first[:, None]
    return np.clip(start, 0, extent), np.clip(end, 0, extent)


@register
@dataclass(frozen=True)
class RegionScatter(Op):
    """(g[R,C,..], place i32[R,C,..], regions[R,5]) -> x of ``shape``: g added where place says."""

    shape: tuple[int, ...]
    name = "region_scatter"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, place, regions = inputs
        require(g.shape == place.shape and len(self.shape) == 4, f"{g}, {place}, {self.shape}")
        require(regions.shape == (g.shape[0], 5), f"{regions} for {g}")
        require(place.dtype is I32, f"places are i32, not {place.dtype}")
        require(not regions.dtype.is_narrow, f"regions of {regions.dtype}: pixels need f32")
        return (TensorType(self.shape, g.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, place, regions = inputs
        images, channels, height, width = self.shape
        image = np.clip(regions[:, 0].astype(np.int64), 0, max(0, images - 1))
        plane = image[:, None] * channels + np.arange(channels)
        flat = plane[:, :, None, None] * (height * width) + place
        there = place >= 0
        size = images * channels * height * width
        total = np.bincount(flat[there], weights=g[there], minlength=size)
        return [total.astype(g.dtype).reshape(self.shape)]

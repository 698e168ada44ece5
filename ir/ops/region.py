"""Maxima over grids of cells laid on images (ROI pooling), and their adjoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, register, require
from ..types import I32, TensorType
from ..value import Value


@dataclass(frozen=True)
class Cells:
    """Grids of cells of R regions, each on one image of height x width: what all ops of regions
    read besides features.

    ``images`` i32[R] says on which; a region of an image that is not there has no elements.
    ``vertical`` i32[R, 2 * rows] holds where the rows of cells begin (included), then where they
    end (not included); both ascend. ``horizontal`` i32[R, 2 * columns] likewise. What lies outside
    of the image is no part of a cell.
    """

    images: np.ndarray
    vertical: np.ndarray
    horizontal: np.ndarray

    def offsets(self, count: int, height: int, width: int) -> Iterator[tuple[np.ndarray, ...]]:
        """The elements of all cells, one of each cell at a time: region, row, column, h, w."""
        top, bottom = _clipped(self.vertical, height)
        left, right = _clipped(self.horizontal, width)
        known = (self.images >= 0) & (self.images < count)
        for dh in range(int((bottom - top).max(initial=0))):
            rows = known[:, None] & (top + dh < bottom)
            for dw in range(int((right - left).max(initial=0))):
                columns = left + dw < right
                region, row, column = np.nonzero(rows[:, :, None] & columns[:, None, :])
                yield region, row, column, top[region, row] + dh, left[region, column] + dw


def _clipped(ends: np.ndarray, extent: int) -> tuple[np.ndarray, np.ndarray]:
    ends = np.clip(ends.astype(np.int64), 0, extent)
    half = ends.shape[1] // 2
    return ends[:, :half], ends[:, half:]


def grid_of(
    images: TensorType, vertical: TensorType, horizontal: TensorType
) -> tuple[int, int, int]:
    """Regions, rows and columns of what describes cells; TypeError unless it does."""
    for value in (images, vertical, horizontal):
        require(value.dtype is I32, f"images and ends of cells are i32, not {value.dtype}")
    require(images.rank == 1, f"{images}: the number of an image for each region is expected")
    ranks = vertical.rank == horizontal.rank == 2
    require(ranks, f"{vertical} and {horizontal}; ranks of 2 are expected")
    shapes = [value.shape for value in (vertical, horizontal)]
    for count, ends in shapes:
        require(count == images.shape[0], f"{vertical} and {horizontal} of {images}")
        require(ends > 0 and ends % 2 == 0, f"{ends} ends: there are two for each cell")
    return images.shape[0], shapes[0][1] // 2, shapes[1][1] // 2


def require_features(x: TensorType) -> None:
    """TypeError unless they are images of f32 (in the reference f64)."""
    require(x.rank == 4, f"{x}: images are expected, of four axes")
    require(x.dtype.is_float and not x.dtype.is_narrow, f"features of {x.dtype}: f32 is expected")


@register
@dataclass(frozen=True)
class RegionMax(Op):
    """(x[N,C,H,W], :class:`Cells`) -> largest element per cell [R,C,rows,columns], its place i32.

    The place is h * W + w, of the first of equal elements. A cell without an element gives 0 and
    place -1; so small an element that -FLT_MAX is not below it counts, but has no place.
    rbgirshick/caffe-fast-rcnn: src/caffe/layers/roi_pooling_layer.cpp.
    """

    name = "region_max"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, *cells = inputs
        require_features(x)
        count, rows, columns = grid_of(*cells)
        shape = (count, x.shape[1], rows, columns)
        return (TensorType(shape, x.dtype), TensorType(shape, I32))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, *cells = inputs
        images, channels, height, width = x.shape
        pixels = x.transpose(0, 2, 3, 1)
        count, _, rows, columns = results[0].shape
        shape = (count, rows, columns, channels)
        best = np.full(shape, np.finfo(np.float32).min, x.dtype)
        place = np.full(shape, -1, np.int32)
        filled = np.zeros((*shape[:3], 1), bool)
        for region, row, column, h, w in Cells(*cells).offsets(images, height, width):
            values = pixels[cells[0][region], h, w]
            old = best[region, row, column]
            better = values > old
            spot = (h * width + w).astype(np.int32)[:, None]
            best[region, row, column] = np.where(better, values, old)
            place[region, row, column] = np.where(better, spot, place[region, row, column])
            filled[region, row, column] = True
        best = np.where(filled, best, x.dtype.type(0))
        return [np.ascontiguousarray(a.transpose(0, 3, 1, 2)) for a in (best, place)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        g = at.cotangents[0]
        x, *cells = at.inputs
        nothing = [None] * len(cells)
        if g is None or not at.wanted[0]:
            return [None, *nothing]
        return [b.emit(RegionScatter(x.shape), g, at.outputs[1], *cells), *nothing]


@register
@dataclass(frozen=True)
class RegionScatter(Op):
    """(g[R,C,rows,columns], place i32 alike, :class:`Cells`) -> x of ``shape``: g added where place
    says, which is in the cell, or nowhere (-1)."""

    shape: tuple[int, ...]
    name = "region_scatter"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, place, *cells = inputs
        count, rows, columns = grid_of(*cells)
        result = TensorType(self.shape, g.dtype)
        require_features(result)
        require(g.shape == place.shape, f"{g}, but {place}")
        require(place.dtype is I32, f"places are i32, not {place.dtype}")
        require(g.shape == (count, self.shape[1], rows, columns), f"{g} of cells on {result}")
        return (result,)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, place, images, *_ = inputs
        count, channels, height, width = results[0].shape
        plane = images.astype(np.int64)[:, None] * channels + np.arange(channels)
        flat = plane[:, :, None, None] * (height * width) + place
        known = ((images >= 0) & (images < count))[:, None, None, None]
        there = known & (place >= 0) & (place < height * width)
        total = np.bincount(flat[there], weights=g[there], minlength=results[0].size)
        return [total.astype(g.dtype).reshape(results[0].shape)]

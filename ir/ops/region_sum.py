"""Sums over grids of cells laid on images, weighted or not, and their adjoint.

What takes means of whole pixels, or interpolates between them, is such a sum with other weights:
those of a row of cells and those of a column of cells are multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, register, require
from ..types import TensorType
from ..value import Value
from .region import Cells, grid_of, require_features


def _grid_of(inputs: Sequence[TensorType], x: TensorType) -> tuple[int, int, int]:
    """Regions, rows and columns of cells, whose weights are looked at, too."""
    require(len(inputs) in (3, 5), f"{len(inputs)} values say where cells are; 3 or 5 are expected")
    cells, weights = inputs[:3], inputs[3:]
    count, rows, columns = grid_of(*cells)
    shapes = ((count, rows, x.shape[2]), (count, columns, x.shape[3]))
    for value, shape in zip(weights, shapes, strict=False):
        require(value == TensorType(shape, x.dtype), f"weights {value} of cells on {x}")
    return count, rows, columns


def _terms(
    inputs: Sequence[np.ndarray], count: int, height: int, width: int, dtype: np.dtype
) -> Iterator[tuple[np.ndarray, ...]]:
    """Elements of cells, as :meth:`Cells.offsets` gives them, each with its weight."""
    cells, weights = inputs[:3], inputs[3:]
    for region, row, column, h, w in Cells(*cells).offsets(count, height, width):
        weight = np.ones(len(region), dtype)
        if weights:
            weight = weights[0][region, row, h] * weights[1][region, column, w]
        yield region, row, column, h, w, weight[:, None]


@register
@dataclass(frozen=True)
class RegionSum(Op):
    """(x[N,C,H,W], :class:`~.region.Cells`[, down[R,rows,H], along[R,columns,W]])
    -> [R,C,rows,columns]: the sum of each cell's elements, times down[r,i,h] * along[r,j,w].

    ``by_cell``: every cell has channels of its own. x has C * rows * columns of them, of which
    cell (i, j) reads (c * rows + i) * columns + j. No gradient flows to weights.
    """

    by_cell: bool = False
    name = "region_sum"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x = inputs[0]
        require_features(x)
        count, rows, columns = _grid_of(inputs[1:], x)
        channels = x.shape[1]
        if self.by_cell:
            own = channels % (rows * columns) == 0
            require(own, f"{channels} channels for {rows} x {columns} cells with their own")
            channels //= rows * columns
        return (TensorType((count, channels, rows, columns), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, *cells = inputs
        images, _, height, width = x.shape
        count, channels, rows, columns = results[0].shape
        grid = (rows, columns) if self.by_cell else (1, 1)
        pixels = x.reshape(images, channels, *grid, height, width).transpose(0, 2, 3, 4, 5, 1)
        total = np.zeros((count, rows, columns, channels), x.dtype)
        for region, row, column, h, w, weight in _terms(cells, images, height, width, x.dtype):
            own = np.int64(self.by_cell)
            i, j = row * own, column * own
            total[region, row, column] += pixels[cells[0][region], i, j, h, w] * weight
        return [np.ascontiguousarray(total.transpose(0, 3, 1, 2))]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        x, *cells = at.inputs
        spread = RegionSpread(x.shape, self.by_cell)
        return [b.emit(spread, at.cotangent, *cells), *[None] * len(cells)]


@register
@dataclass(frozen=True)
class RegionSpread(Op):
    """(g[R,C,rows,columns], :class:`~.region.Cells`[, down, along]) -> x of ``shape``: every
    element of a cell gets the cell's g, with its weight. The adjoint of :class:`RegionSum`."""

    shape: tuple[int, ...]
    by_cell: bool = False
    name = "region_spread"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g = inputs[0]
        result = TensorType(self.shape, g.dtype)
        require_features(result)
        count, rows, columns = _grid_of(inputs[1:], result)
        own = rows * columns if self.by_cell else 1
        fits = g.rank == 4 and (g.shape[0], *g.shape[2:]) == (count, rows, columns)
        require(fits and g.shape[1] * own == self.shape[1], f"{g} of cells on {result}")
        return (result,)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, *cells = inputs
        images, _, height, width = results[0].shape
        _, channels, rows, columns = g.shape
        grid = (rows, columns) if self.by_cell else (1, 1)
        pixels = np.zeros((images, *grid, height, width, channels), g.dtype)
        for region, row, column, h, w, weight in _terms(cells, images, height, width, g.dtype):
            own = np.int64(self.by_cell)
            i, j = row * own, column * own
            np.add.at(pixels, (cells[0][region], i, j, h, w), g[region, :, row, column] * weight)
        return [np.ascontiguousarray(pixels.transpose(0, 5, 1, 2, 3, 4)).reshape(results[0].shape)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        _, *cells = at.inputs
        return [b.emit(RegionSum(self.by_cell), at.cotangent, *cells), *[None] * len(cells)]

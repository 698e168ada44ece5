"""Cells of regions, on images."""

from __future__ import annotations

from typing import NamedTuple

from ir.graph import Role, Value
from ir.ops.region import RegionMax, RegionScatter
from ir.ops.region_sum import RegionSpread, RegionSum
from ir.size import value_of
from ir.types import F32, I32

from .arrays import cell_ends, integers
from .growth import Growth, draws


class _Grid(NamedTuple):
    x: Value
    cells: tuple[Value, ...]
    rows: int
    columns: int

    @property
    def count(self) -> int:
        return self.cells[0].shape[0]


def _grid(g: Growth) -> _Grid:
    x = g.value(4, where=lambda v: all(v.shape))
    images, _, height, width = map(value_of, x.shape)
    count, rows, columns = g.number(1, 3), g.number(1, 3), g.number(1, 3)
    cells = (
        g.input((count,), I32, integers(-1, images + 1), Role.DATA),
        g.input((count, 2 * rows), I32, cell_ends(height), Role.DATA),
        g.input((count, 2 * columns), I32, cell_ends(width), Role.DATA),
    )
    return _Grid(x, cells, rows, columns)


def _weights(g: Growth, grid: _Grid) -> tuple[Value, ...]:
    if g.flag():
        return ()
    _, _, height, width = grid.x.shape
    shapes = (grid.count, grid.rows, height), (grid.count, grid.columns, width)
    # No gradient flows to them.
    return tuple(g.input(shape, F32, integers(-2, 3), Role.DATA) for shape in shapes)


@draws(RegionMax)
def draw_region_max(g: Growth) -> None:
    grid = _grid(g)
    g.emit(RegionMax(), grid.x, *grid.cells)


@draws(RegionScatter)
def draw_region_scatter(g: Growth) -> None:
    grid = _grid(g)
    best, place = g.emit(RegionMax(), grid.x, *grid.cells)
    g.emit(RegionScatter(grid.x.shape), g.value(shape=best.shape), place, *grid.cells)


@draws(RegionSum)
def draw_region_sum(g: Growth) -> None:
    grid = _grid(g)
    by_cell = grid.x.shape[1] % (grid.rows * grid.columns) == 0 and g.flag()
    g.emit(RegionSum(by_cell), grid.x, *grid.cells, *_weights(g, grid))


@draws(RegionSpread)
def draw_region_spread(g: Growth) -> None:
    grid = _grid(g)
    channels, count = grid.x.shape[1], grid.rows * grid.columns
    by_cell = channels % count == 0 and g.flag()
    shape = grid.count, channels // count if by_cell else channels, grid.rows, grid.columns
    given = g.value(shape=shape)
    g.emit(RegionSpread(grid.x.shape, by_cell), given, *grid.cells, *_weights(g, grid))

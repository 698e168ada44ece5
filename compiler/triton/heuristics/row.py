"""Tiles that hold rows."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.schedules.reduction import Reduction, tile_of

LONGEST_ROWS = 4096  # neighbouring elements that are held at once
LONGEST_COLUMNS = 64  # elements with others in between, of which many rows are held side by side
ROW_ELEMENTS = 512  # of a tile of short rows
COLUMN_ELEMENTS = 2048


def _tile(a: int, b: int) -> Config:
    return tile_of(a, b, warps=8 if a * b >= 4096 else 4)


def _powers(last: int) -> list[int]:
    return [1 << i for i in range(1, last.bit_length())]


# By the length of what they hold; the last ones walk through longer rows.
TILES = {
    "rows": (
        *(_tile(max(1, ROW_ELEMENTS // n), n) for n in _powers(LONGEST_ROWS)),
        _tile(1, 1024),
    ),
    "columns": (
        *(_tile(n, COLUMN_ELEMENTS // n) for n in _powers(LONGEST_COLUMNS)),
        _tile(16, 64),
    ),
}


def row_configs(reduction: Reduction) -> list[Config]:
    """Tiles that hold the rows, the smallest first, then that which walks through them."""
    length = reduction.count(reduction.axes)
    along = "B" if reduction.kind == "rows" else "A"
    *holding, walking = TILES[reduction.kind]
    return [*(tile for tile in holding if length <= tile[along]), walking]

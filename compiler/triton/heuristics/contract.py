"""Tiles and splits of matrix products."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.kernels.products import ProductShape


def _tile(m: int, n: int, k: int, warps: int, stages: int) -> Config:
    return Config((("M", m), ("N", n), ("K", k)), warps, stages)


# On float32 the compiler multiplies without matrix units and holds a whole depth of both operands
# in registers: 16, the least it takes. Triton 3.9 keeps all of these in registers for sm_80 and
# sm_90; 3.6 spills a few bytes here and there in the largest.
import os
TILES = (_tile(32, 32, 16, 4, 3), _tile(64, 64, 16, 8, 3), _tile(128, 128, 16, 8, 2))
if os.environ.get("TILE"): TILES = (_tile(*map(int, os.environ["TILE"].split(","))),)*3
FEW_TILES = 2  # of these for kernels whose index arithmetic takes many registers
GROUP = 8  # tiles of rows that share columns in the second-level cache
MOST_SPLITS = 16
SHORTEST_SHARE = 8  # steps of the loop that a split keeps at least


def contract_choices(shape: ProductShape, strided: bool, processors: int) -> list[Choice]:
    """Every tile, each with the whole depth in one program and in parts of it."""
    tiles = TILES[:FEW_TILES] if strided else TILES
    choices: list[Choice] = []
    best = _best_tile(shape, tiles, processors)
    for tile in sorted(tiles, key=lambda tile: tile is not best):
        wanted = _splits_for(shape, tile, processors)
        splits = (wanted, 2 if wanted == 1 else 1)
        choices += [
            Choice(tile, s, group=GROUP) for s in splits if s == 1 or s <= shape.steps(tile)
        ]
    return choices


def _best_tile(shape: ProductShape, tiles: tuple[Config, ...], processors: int) -> Config:
    """The largest tile that still gives every processor something to do, no larger than the
    matrix needs."""
    _, rows, columns, depth = shape
    best = tiles[0]
    for tile in tiles[1:]:
        wasted = rows <= tile["M"] // 2 or columns <= tile["N"] // 2
        if not wasted and shape.programs(tile) >= processors:
            best = tile
    if best is tiles[0] and rows > 32 and columns > 32 and depth >= 512:
        return tiles[1]  # splitting the depth will fill the device
    return best


def _splits_for(shape: ProductShape, tile: Config, processors: int) -> int:
    total = shape.programs(tile)
    if not 0 < total < processors:
        return 1
    longest = shape.steps(tile) // SHORTEST_SHARE
    return max(1, min(MOST_SPLITS, 2 * processors // total, longest))

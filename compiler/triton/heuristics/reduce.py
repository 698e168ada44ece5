"""Tiles and splits of reductions."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.kernels.schedules.reduction import Reduction, tile_of

_SIZES = {
    "rows": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outputs, reduced)
    "planes": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outer reduced, inner reduced)
    "columns": ((64, 16), (16, 64), (4, 256)),  # (reduced, outputs)
}
LONGEST_WALK = 16  # steps of the loop from which on splitting pays
MOST_SPLITS = 64
MANY_INPUTS = 6  # more make tiles that need the registers of eight warps
TILES = {
    (kind, warps): tuple(tile_of(a, b, warps) for a, b in sizes)
    for kind, sizes in _SIZES.items()
    for warps in (4, 8)
}
FOLD = tile_of(MOST_SPLITS, 16, warps=4)


def reduce_choices(reduction: Reduction, inputs: int, processors: int) -> list[Choice]:
    """Every tile, each with a result's elements in one program and in parts of them."""
    tiles = TILES[reduction.kind, 8 if inputs > MANY_INPUTS else 4]
    choices = []
    best = _best_tile(reduction, tiles)
    for tile in sorted(tiles, key=lambda tile: tile is not best):
        wanted = _splits_for(reduction, tile, processors)
        steps, _ = reduction.walk(tile)
        splits = (wanted, 2 if wanted == 1 else 1)
        choices += [Choice(tile, s, FOLD) for s in splits if s == 1 or s <= steps]
    return choices


def _best_tile(reduction: Reduction, tiles: tuple[Config, ...]) -> Config:
    """The first that is as wide as what lies side by side in memory."""
    if reduction.kind == "columns":
        extent = reduction.count(reduction.kept) // 64
    else:
        extent = reduction.count(reduction.walked[-1][0])
    return next((tile for tile in tiles if tile["B"] >= extent), tiles[-1])


def _splits_for(reduction: Reduction, tile: Config, processors: int) -> int:
    programs = reduction.programs(tile)
    steps, loads = reduction.walk(tile)
    if not (0 < programs < processors and steps * loads > LONGEST_WALK):
        return 1
    return min(MOST_SPLITS, -(-2 * processors // programs), steps)

"""Tiles and splits of reductions."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.kernels.schedules.reduction import Reduction, tile_of

_SIZES = {
    "rows": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outputs, reduced)
    "planes": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outer reduced, inner reduced)
    "columns": ((64, 16), (32, 64), (8, 256)),  # (reduced, outputs)
}
LONGEST_WALK = 16  # steps of the loop from which on splitting pays
SHORTEST_SHARE = 4  # steps that a split keeps at least
WAVES = 4  # programs per processor that splits make: enough that some read while others add
MOST_SPLITS = 512
MANY_INPUTS = 6  # more make tiles that need the registers of eight warps
TILES = {
    (kind, warps): tuple(tile_of(a, b, warps) for a, b in sizes)
    for kind, sizes in _SIZES.items()
    for warps in (4, 8)
}
FOLDS = (tile_of(64, 16, warps=4), tile_of(256, 8, warps=8))
"""By how many parts there are: as many as the first takes at once, or more."""


def reduce_choices(reduction: Reduction, inputs: int, processors: int) -> list[Choice]:
    """Every tile, each with a result's elements in one program and in parts of them."""
    tiles = TILES[reduction.kind, 8 if inputs > MANY_INPUTS else 4]
    choices = []
    best = _best_tile(reduction, tiles)
    for tile in sorted(tiles, key=lambda tile: tile is not best):
        wanted = _splits_for(reduction, tile, processors)
        steps, _ = reduction.walk(tile)
        splits = (wanted, 2 if wanted == 1 else 1)
        choices += [Choice(tile, s, fold_tiles(s)[0]) for s in splits if s == 1 or s <= steps]
    return choices


def fold_tiles(parts: int) -> list[Config]:
    """Of the kernel that folds so many parts of every result, the best first."""
    few, many = FOLDS
    return [few, many] if parts <= few["A"] else [many, few]


def _best_tile(reduction: Reduction, tiles: tuple[Config, ...]) -> Config:
    """As wide as what lies side by side in memory: the first such, or the last. Of columns that are
    short, some more at once."""
    if reduction.kind == "columns":
        low = [tile for tile in tiles if tile["A"] >= reduction.count(reduction.axes)]
        wide = [tile for tile in tiles if tile["B"] >= reduction.count(reduction.kept)]
        return low[-1] if low[-1:] == [tiles[-1]] else (wide[0] if wide else tiles[1])
    extent = reduction.count(reduction.walked[-1][0])
    return next((tile for tile in tiles if tile["B"] >= extent), tiles[-1])


def _splits_for(reduction: Reduction, tile: Config, processors: int) -> int:
    programs = reduction.programs(tile)
    steps, loads = reduction.walk(tile)
    if not (0 < programs < 2 * processors and steps * loads > LONGEST_WALK):
        return 1
    shares = -(-steps * loads // SHORTEST_SHARE)
    return min(MOST_SPLITS, -(-WAVES * processors // programs), steps, shares)

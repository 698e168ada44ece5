"""Tiles and splits of matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.precision import HALF, IEEE, TF32, TF32X3


class Tile(NamedTuple):
    """``rate``: of its multiplications where it fills a device, relative to others of the table."""

    config: Config
    rate: float


def product_tile(
    m: int, n: int, k: int, warps: int = 4, stages: int = 2, rate: float = 1.0
) -> Tile:
    return Tile(Config((("M", m), ("N", n), ("K", k)), warps, stages), rate)


# By DotKind. Rates are those of an H200, in 10^12 operations a second, of 3 x 3 convolutions and of
# gradients of weights, or between those of tiles that were measured.
TILES: dict[DotKind, tuple[Tile, ...]] = {
    # Without matrix units: a whole depth of both operands is held in registers, 16 is the least.
    DotKind(IEEE): (
        product_tile(32, 32, 16, 4, 3, 10),
        product_tile(64, 64, 16, 8, 3, 14),
        product_tile(128, 64, 16, 4, 3, 22),
        product_tile(128, 128, 16, 8, 3, 16),
    ),
    DotKind(IEEE, held=True): (
        product_tile(32, 32, 16, 4, 3, 16),
        product_tile(64, 64, 16, 4, 3, 30),
        product_tile(128, 64, 16, 8, 3, 38),
    ),
    DotKind(TF32): (
        product_tile(32, 32, 32, 4, 3, 60),
        product_tile(64, 64, 32, 4, 4, 185),
        product_tile(64, 128, 32, 4, 3, 250),
        product_tile(128, 64, 32, 4, 3, 240),
        product_tile(128, 128, 32, 4, 3, 275),
        product_tile(128, 256, 32, 8, 3, 300),
    ),
    DotKind(TF32, held=True): (
        product_tile(32, 32, 32, 4, 3, 40),
        product_tile(64, 64, 32, 2, 3, 95),
        product_tile(128, 64, 32, 4, 3, 92),
    ),
    DotKind(TF32X3): (
        product_tile(32, 32, 32, 4, 3, 30),
        product_tile(64, 64, 32, 4, 3, 100),
        product_tile(128, 64, 32, 4, 3, 92),
        product_tile(128, 128, 32, 8, 3, 90),
    ),
    DotKind(TF32X3, held=True): (
        product_tile(32, 32, 32, 4, 3, 18),
        product_tile(64, 64, 32, 4, 3, 33),
        product_tile(128, 64, 32, 4, 2, 46),
    ),
    DotKind(HALF): (
        product_tile(32, 32, 32, 4, 3, 120),
        product_tile(64, 64, 64, 4, 4, 370),
        product_tile(64, 128, 64, 4, 4, 425),
        product_tile(128, 64, 64, 4, 3, 440),
        product_tile(128, 128, 64, 4, 3, 520),
        product_tile(128, 256, 64, 8, 3, 555),
    ),
}
FEW_TILES = 2  # of these for kernels whose index arithmetic takes many registers
GROUP = 8  # tiles of rows that share columns in the second-level cache
SPLITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
SHORTEST_SHARE = 8  # steps of the loop that a split keeps at least
PROLOGUE = 8  # steps that a program takes besides
# Times are in multiplications of one processor, divided by the rate of its tile.
BYTE = 0.12  # of a partial sum, written or read
LAUNCH = 7.5e5  # of the second kernel


def contract_choices(
    shape: ProductShape, strided: bool, factors: DotKind, processors: int
) -> list[Choice]:
    """Every tile, each with the whole depth in one program and in parts of it; first the way that
    takes the least time."""
    tiles = TILES[factors]
    tiles = tiles[:FEW_TILES] if strided else tiles
    times = {
        (tile, splits): _time(shape, tile, splits, processors)
        for tile in tiles
        for splits in _splits(shape, tile.config)
    }
    found = [min(times, key=times.__getitem__)]
    for tile in tiles:
        best = min((way for way in times if way[0] is tile), key=times.__getitem__)
        found += [best, (tile, 2 if best[1] == 1 else 1)]
    ways = [(t, splits) for t, splits in found if splits == 1 or splits <= shape.steps(t.config)]
    return [Choice(tile.config, splits, group=GROUP) for tile, splits in dict.fromkeys(ways)]


def _splits(shape: ProductShape, config: Config) -> Iterator[int]:
    steps = shape.steps(config)
    for splits in SPLITS:
        if splits == 1 or splits * SHORTEST_SHARE <= steps:
            yield splits


def _time(shape: ProductShape, tile: Tile, splits: int, processors: int) -> float:
    """In rounds of programs, as many of them at a time as there are processors."""
    m, n, k = (tile.config[name] for name in "MNK")
    programs = shape.programs(tile.config) * splits
    rounds = -(-programs // processors)
    steps = -(-shape.steps(tile.config) // splits)
    time = rounds * (steps + PROLOGUE) * m * n * k / tile.rate
    if splits > 1:
        nbytes = 4 * shape.products * shape.rows * shape.columns * (2 * splits + 1)
        time += (BYTE * nbytes + LAUNCH) / processors
    return time

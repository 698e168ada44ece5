"""Tiles and splits of matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.kernel import Config
from compiler.kernels.choice import ALONE, Beside, Choice
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.precision import HALF, IEEE, TF32, TF32X3
from compiler.target import Target

from ..cost.product import FLOAT, product_time
from ..cost.time import ATTAINED, LATENCY, LAUNCH


class Tile(NamedTuple):
    """``rate``: of its multiplications, see :data:`TILES`."""

    config: Config
    rate: float


def product_tile(
    m: int, n: int, k: int, warps: int = 4, stages: int = 2, rate: float = 1.0
) -> Tile:
    return Tile(Config((("M", m), ("N", n), ("K", k)), warps, stages), rate)


# By DotKind. Rates are what :func:`compiler.triton.cost.product.units_time` wants, fitted with its
# other constants to 3 x 3 and 1 x 1 convolutions and gradients of weights on an H200, or guessed
# between those of tiles that were measured (those of 32 x 32 and 64 x 32).
TILES: dict[DotKind, tuple[Tile, ...]] = {
    # Without matrix units: a whole depth of both operands is held in registers, 16 is the least.
    DotKind(IEEE): (
        product_tile(32, 32, 16, 4, 3, 10),
        product_tile(64, 64, 16, 4, 3, 14),
        product_tile(128, 64, 16, 4, 3, 23),
        product_tile(128, 128, 16, 8, 3, 20),
    ),
    DotKind(IEEE, held=True): (
        product_tile(32, 32, 16, 4, 3, 16),
        product_tile(64, 64, 16, 4, 3, 34),
        product_tile(128, 64, 16, 8, 3, 41),
    ),
    DotKind(TF32): (
        product_tile(32, 32, 32, 4, 3, 60),
        product_tile(64, 64, 32, 4, 4, 214),
        product_tile(64, 128, 32, 4, 3, 301),
        product_tile(128, 64, 32, 4, 3, 267),
        product_tile(128, 128, 32, 4, 3, 371),
        product_tile(128, 256, 32, 8, 3, 484),
    ),
    DotKind(TF32, held=True): (
        product_tile(32, 32, 32, 4, 3, 40),
        product_tile(64, 32, 32, 4, 3, 60),
        product_tile(64, 64, 32, 2, 3, 91),
        product_tile(128, 64, 32, 4, 3, 104),
    ),
    DotKind(TF32X3): (
        product_tile(32, 32, 32, 4, 3, 30),
        product_tile(64, 64, 32, 4, 3, 108),
        product_tile(128, 64, 32, 4, 3, 103),
    ),
    DotKind(TF32X3, held=True): (
        product_tile(32, 32, 32, 4, 3, 18),
        product_tile(64, 32, 32, 4, 3, 26),
        product_tile(64, 64, 32, 4, 3, 34),
        product_tile(128, 64, 32, 4, 2, 46),
    ),
    DotKind(HALF): (
        product_tile(32, 32, 32, 4, 3, 120),
        product_tile(64, 64, 64, 4, 4, 460),
        product_tile(64, 128, 64, 4, 4, 642),
        product_tile(128, 64, 64, 4, 3, 587),
        product_tile(128, 128, 64, 4, 3, 892),
        product_tile(128, 256, 64, 8, 3, 1160),
    ),
    DotKind(HALF, held=True): (
        product_tile(32, 32, 32, 4, 3, 100),
        product_tile(64, 64, 64, 4, 4, 230),
        product_tile(128, 64, 64, 4, 3, 391),
        product_tile(128, 128, 64, 8, 3, 358),
    ),
}
FEW_TILES = 2  # of these for kernels whose index arithmetic takes many registers
MOST_SUMS = 64  # of a thread, where what follows takes as many registers again
GROUP = 8  # tiles of rows that share columns in the second-level cache
SPLITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
SHORTEST_SHARE = 8  # steps of the loop that a split keeps at least
WORTH = 0.95  # of the time without it, that one more launch may take: it is work of the host, too


def contract_choices(
    shape: ProductShape,
    strided: bool,
    factors: DotKind,
    target: Target,
    beside: Beside = ALONE,
) -> list[Choice]:
    """Every tile, each with the whole depth in one program and in parts of it; first the way that
    takes the least time, which also has the next numbers of parts."""
    tiles = TILES[factors]
    tiles = tiles[:FEW_TILES] if strided else tiles
    if beside.crowded:
        tiles = tuple(tile for tile in tiles if _sums(tile.config) <= MOST_SUMS)
    times = {
        (tile, splits): _time(shape, tile, splits, factors, target, beside)
        for tile in tiles
        for splits in _splits(shape, tile.config)
    }
    first, splits = min(times, key=times.__getitem__)
    nearby = [n for n in SPLITS if splits / 2 <= n <= 2 * splits and (first, n) in times]
    found = [(first, splits), *((first, n) for n in nearby)]
    for tile in tiles:
        best = min((way for way in times if way[0] is tile), key=times.__getitem__)
        found += [best, (tile, 2 if best[1] == 1 else 1)]
    ways = [(t, splits) for t, splits in found if splits == 1 or splits <= shape.steps(t.config)]
    return [Choice(tile.config, splits, group=GROUP) for tile, splits in dict.fromkeys(ways)]


def _time(
    shape: ProductShape,
    tile: Tile,
    splits: int,
    factors: DotKind,
    target: Target,
    beside: Beside,
) -> float:
    """To compare: seconds, and what more launches count."""
    seconds = product_time(shape, tile.config, tile.rate, splits, factors, target)
    if splits == 1:
        return seconds
    if not beside.summed:
        return seconds / WORTH
    results = FLOAT * shape.products * shape.rows * shape.columns
    reading = LAUNCH + LATENCY + results / (ATTAINED * target.bandwidth)
    return (seconds + reading) / WORTH**2


def _sums(config: Config) -> int:
    return config["M"] * config["N"] // (32 * config.num_warps)


def _splits(shape: ProductShape, config: Config) -> Iterator[int]:
    steps = shape.steps(config)
    for splits in SPLITS:
        if splits == 1 or splits * SHORTEST_SHARE <= steps:
            yield splits


def rate_of(factors: DotKind, config: Config) -> float:
    """Of a tile, whatever else its kernel's constants are; of another one, the lowest."""
    tiles = TILES[factors]
    sizes = [config[name] for name in "MNK"]
    alike = [t for t in tiles if [t.config[name] for name in "MNK"] == sizes]
    return min((tile.rate for tile in alike), default=tiles[0].rate)

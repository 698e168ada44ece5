"""Blocks of consecutive elements."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from ir.graph import Graph
from ir.op import Property
from ir.size import Size


def _block(size: int, warps: int) -> Config:
    return Config((("BLOCK", size),), warps)


# A program of light groups moves 4 or 8 elements per thread (16-byte accesses); groups
# with many inputs take half; groups with windows keep one or two per thread, because taps
# multiply what is in flight.
LIGHT = (_block(256, 2), _block(1024, 4))
BROAD = (_block(256, 4), _block(512, 4))
HEAVY = (_block(128, 4), _block(256, 4))
MANY_INPUTS = 8
LARGE = 2048  # elements per processor from which on the larger block still fills the device


def flat_configs(body: Graph, count: int, processors: int) -> list[Config]:
    loops = Property.LOCAL | Property.CONTRACTION
    if any(loops & n.op.properties for n in body.nodes):
        table = HEAVY
    else:
        table = BROAD if len(body.inputs) > MANY_INPUTS else LIGHT
    return list(reversed(table) if count >= LARGE * processors else table)


WIDTHS = (64, 32, 16)  # channels of a tile: up to 256 bytes beside each other
VECTORS = (1, 2)  # of four elements for each thread
CHANNEL_TILES = {
    wide: tuple(Config((("A", 512 * count // wide), ("B", wide)), 4) for count in VECTORS)
    for wide in WIDTHS
}
ROUNDS = 4  # programs of a processor
MOST_PARTS = 128
SHORTEST_PART = 8  # steps


def channel_tiles(rows: int, channels: int, processors: int) -> Sequence[Config]:
    """Tiles of rows of channels, and of the channels of each."""
    tiles = CHANNEL_TILES[_wide(channels)]
    return tiles[::-1] if rows * channels >= LARGE * processors else tiles


def _wide(channels: int) -> int:
    """The widest that wastes no lanes, else the narrowest."""
    return next((wide for wide in WIDTHS if channels % wide == 0), WIDTHS[-1])


def tap_choices(rows: int, channels: int, narrow: bool, processors: int) -> list[Choice]:
    """A tile of 16 bytes of each thread, in one part and in several."""
    tile = CHANNEL_TILES[_wide(channels)][narrow]
    steps = -(-rows // tile["A"])
    wanted = -(-ROUNDS * processors // -(-channels // tile["B"]))
    parts = max(1, min(wanted, MOST_PARTS, steps // SHORTEST_PART))
    others = (2 if parts == 1 else 1,)
    return [Choice(tile, splits) for splits in (parts, *others) if splits == 1 or splits <= steps]


STREAMS = 4  # images read of which a tile takes fewer elements: they lie in registers
FILLED = 4  # programs of a processor that are worth more than large tiles
ROW_TILES = {
    wide: tuple(Config((("A", size // wide), ("B", wide)), 4) for size in (4096, 2048, 1024))
    for wide in WIDTHS
}
"""Lanes of a program hold all its channels: values of channels are in the lanes that need them."""


def row_tiles(body: Graph, rows: int, channels: int, processors: int) -> Sequence[Config]:
    """The largest tile of which there are enough, and whose operands registers hold."""
    wide = next((wide for wide in WIDTHS if channels % wide == 0), 0)
    if not wide:
        return []
    images = sum(isinstance(port.value.type.size, Size) for port in body.inputs)
    tiles = [tile for tile in ROW_TILES[wide] if images < STREAMS or tile["A"] * wide < 4096]
    large = FILLED * processors

    def enough(tile: Config) -> bool:
        return -(-rows // tile["A"]) * (channels // wide) >= large

    best = next(filter(enough, tiles), tiles[-1])
    return sorted(ROW_TILES[wide], key=lambda tile: tile is not best)

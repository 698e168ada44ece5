"""Blocks of consecutive elements."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.choice import Choice
from ir.graph import Graph
from ir.op import Property


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


WIDEST = 64  # channels of a tile: 256 bytes beside each other
TILES = (512, 1024)  # elements: one or two vectors of a thread


ROUNDS = 4  # programs of a processor
MOST_PARTS = 128
SHORTEST_PART = 8  # steps


def channel_tiles(rows: int, channels: int, processors: int) -> list[Config]:
    """Tiles of rows of channels, and of the channels of each."""
    wide = _wide(channels)
    tiles = [Config((("A", size // wide), ("B", wide)), 4) for size in TILES]
    return tiles[::-1] if rows * channels >= LARGE * processors else tiles


def _wide(channels: int) -> int:
    wide = min(WIDEST, channels & -channels)
    if wide < WIDEST // 4:  # some lanes have none rather than that rows are short
        wide = min(WIDEST, 1 << (channels - 1).bit_length())
    return wide


def tap_choices(rows: int, channels: int, processors: int) -> list[Choice]:
    """A tile of one vector of each thread, in one part and in several."""
    wide = _wide(channels)
    tile = Config((("A", TILES[0] // wide), ("B", wide)), 4)
    steps = -(-rows // tile["A"])
    wanted = -(-ROUNDS * processors // -(-channels // wide))
    parts = max(1, min(wanted, MOST_PARTS, steps // SHORTEST_PART))
    others = (2 if parts == 1 else 1,)
    return [Choice(tile, splits) for splits in (parts, *others) if splits == 1 or splits <= steps]

"""Blocks of consecutive elements."""

from __future__ import annotations

from compiler.kernel import Config
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

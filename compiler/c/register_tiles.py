"""Which tiles of sums the registers of a CPU hold for a contraction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from compiler.kernel import Config
from compiler.kernels.schedules.registers import LoopAxis, RegisterForm
from compiler.target import Target
from ir.types import F32

VECTORS = (1, 2, 3, 4, 6)
POSITIONS = (1, 2, 3, 4, 6, 7, 8, 12, 14)
WIDEST = 64  # bytes of a register of which there are 32
LATENCY = 8  # sums that have to be under way for each step to add one without waiting
READ = 0.5  # time to read an operand, in that of a multiplication with its sum
FAR = 0.5  # to do so by an address that no register holds any more
ADDRESSES = 9  # that registers hold
SHORTEST_PART = 640  # steps that take twenty times as long as to store their sum and read it again


def register_tiles(
    form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target, lanes: int
) -> list[Config]:
    """``R`` vectors times ``U`` positions: all that fit, the best first."""
    registers = 32 if target.vector >= WIDEST else 16
    tiles = [(r, u) for r in VECTORS for u in POSITIONS if _held(form, r, u) <= registers]
    tiles.sort(key=lambda t: _cost(t[0], t[1], form, extents, target.processors, lanes))
    return [Config((("R", r), ("U", u), ("V", lanes))) for r, u in tiles]


def _held(form: RegisterForm, r: int, u: int) -> int:
    """Registers for the sums and for what one step reads as vectors."""
    return r * u + (min(r, u) if form.name == "inner" else r)


def _cost(
    r: int, u: int, form: RegisterForm, extents: Mapping[LoopAxis, int], processors: int, lanes: int
) -> tuple[float, int]:
    """Time of all tiles, in multiplications of vectors; of equal ones the larger is better."""
    vectors, positions = extents[form.vectors], extents[form.single]
    if form.lanes == form.vectors:
        vectors = -(-vectors // lanes)
    tiles = -(-vectors // r) * -(-positions // u)
    step = max(r * u, LATENCY) + READ * (r + u) + FAR * max(0, u - ADDRESSES)
    block = form.blocks.get(form.single, u)
    step *= 1 + (block % u > 0)  # what crosses blocks does not lie side by side
    others = math.prod(
        extent for a, extent in extents.items()
        if a.kind != "depth" and a not in (form.vectors, form.single, form.lanes)
    )  # fmt: skip
    rounds = -(-tiles * others // processors) * processors  # what the last round leaves idle
    return rounds * step, -r * u


def depth_splits(
    form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target, lanes: int
) -> int:
    """Parts of a long depth, each with so much to read that half of the second-level cache holds it
    for all tiles that read it; no more than add little to the time by their sums.

    They are those of one processor's tile: which sums are rounded must not depend on threads.
    """
    outer = LoopAxis("depth", 0)
    depth = math.prod(extent for axis, extent in extents.items() if axis.kind == "depth")
    if outer in form.blocks or outer == form.lanes or not target.l2_cache:
        return 1
    most = min(extents[outer], depth // SHORTEST_PART)
    if most <= 1:
        return 1
    tile = register_tiles(form, extents, replace(target, processors=1), lanes)[0]
    read = depth * tile["R"] * tile["V"] * F32.itemsize
    return max(1, min(-(-2 * read // target.l2_cache), most))

"""Which tiles of sums the registers of a CPU hold for a contraction."""

from __future__ import annotations

import math
from collections.abc import Mapping

from compiler.kernel import Config
from compiler.kernels.schedules.registers.form import LoopAxis, RegisterForm
from compiler.target import Target
from ir.types import F32

VECTORS = (1, 2, 3, 4, 6)
POSITIONS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14)
FEWEST = 16  # registers of any CPU
SPREADING = 64  # bytes of a vector whose multiplication spreads an element of memory by itself
LATENCY = 8  # sums that have to be under way for each step to add one without waiting
READ = 0.1  # time to read an operand, in that of a multiplication with its sum
SCATTERED = 0.4  # to read an element whose place follows from no other's
FETCH = 5.0  # to read a vector that the first-level cache does not hold
SHORTEST_PART = 640  # steps that take twenty times as long as to store their sum and read it again
HELD = 8  # vectors whose depth the second-level cache is to hold, whatever the tile
PIECES = 16  # lines for which a partial sum is written and read again
FAR = 4096  # bytes from line to line of an operand, from which on each lies in a page of its own


def register_tiles(
    form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target, lanes: int
) -> list[Config]:
    """``R`` vectors times ``U`` positions: all that fit, the best first."""
    vectors = VECTORS if form.name != "each" else (1,)  # neighbours share what they read
    most = target.registers or FEWEST
    tiles = [(r, u) for r in vectors for u in POSITIONS if _held(form, r, u, target) <= most]
    tiles.sort(key=lambda t: _cost(t[0], t[1], form, extents, target, lanes))
    return [Config((("R", r), ("U", u), ("V", lanes))) for r, u in tiles]


def _held(form: RegisterForm, r: int, u: int, target: Target) -> int:
    """Registers for the sums and for what one step reads as vectors."""
    if form.name != "outer":
        return r * u + r + u
    return r * u + r + (target.vector < SPREADING)


def _cost(
    r: int, u: int, form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target, lanes: int
) -> tuple[float, int]:
    """Time of all tiles, in multiplications of vectors; of equal ones the larger is better."""
    vectors, positions = extents[form.vectors], extents[form.single]
    if form.lanes == form.vectors:
        vectors = -(-vectors // lanes)
    tiles = -(-vectors // r) * -(-positions // u)
    fetched = _fetched(r, u, form, extents, target)
    step = max(r * u, LATENCY, fetched) + READ * (r + u + fetched)
    if form.blocks.get(form.single, u) % u:
        step += SCATTERED * u
    others = math.prod(
        extent for a, extent in extents.items()
        if a.kind != "depth" and a not in (form.vectors, form.single, form.lanes)
    )  # fmt: skip
    side_by_side = target.processors  # the last round leaves some of them idle
    rounds = -(-tiles * others // side_by_side) * side_by_side
    return rounds * step, -r * u


def _fetched(
    r: int, u: int, form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target
) -> float:
    """Time that one step takes to read, where the next tile does not find it in the cache."""
    if 2 * r * target.vector * _depth(extents) <= target.l1_cache or not target.l1_cache:
        return 0
    block = form.blocks.get(form.single, 0)
    lines = 1 + (block % u > 0) if block else 0  # in which the elements to spread lie side by side
    return FETCH * (r + lines)


def _depth(extents: Mapping[LoopAxis, int]) -> int:
    return math.prod(extent for axis, extent in extents.items() if axis.kind == "depth")


def depth_splits(form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target) -> int:
    """Parts of a long depth, each with so much to read that half of the second-level cache holds it
    for all tiles that read it; no more than add little to the time by their sums. The number
    of threads has no say: it is the order of a sum."""
    outer = LoopAxis("depth", 0)
    depth = _depth(extents)
    if outer in form.blocks or outer == form.lanes or not target.l2_cache:
        return 1
    if splits := _splits_of_lines(form, extents, target):
        return splits
    read = depth * HELD * target.vector
    most = min(extents[outer], depth // SHORTEST_PART)
    return max(1, min(-(-2 * read // target.l2_cache), most))


def _splits_of_lines(form: RegisterForm, extents: Mapping[LoopAxis, int], target: Target) -> int:
    """Likewise of a matrix that no cache holds, of which a step reads a piece of a line, and every
    piece is read once: so many lines that what they begin is still at hand for the pieces behind,
    and that partial sums take little of the time. 0: there is no such matrix."""
    depth = [extent for axis, extent in extents.items() if axis.kind == "depth" and extent > 1]
    if form.name != "outer" or form.lanes in form.blocks or len(depth) != 1:
        return 0
    line = extents[form.lanes] * F32.itemsize
    others = math.prod(n for a, n in extents.items() if a.kind != "depth" and a != form.lanes)
    if line < FAR or line * depth[0] <= 2 * target.l2_cache or others > max(POSITIONS):
        return 0
    return max(1, depth[0] // max(PIECES * others, 4 * PIECES))


def images_first(target: Target, images: int, tiles: int, vectors: int, others: int) -> bool:
    """Whether less is read from behind the second-level cache where all tiles along the lanes are
    computed of one image, then of the next one.

    Args:
        tiles: along the lanes. vectors: bytes of the operand that they have of their own.
        others: of the one that they share, which has the images.
    """
    room = target.l2_cache * 3 // 4
    if not room or images < 2:
        return False
    one = -(-others // images)
    if one > room:
        return False
    apart = others * (tiles if others > room else 1) + vectors
    together = others + vectors * (images if vectors + one > room else 1)
    return together < 0.7 * apart


def results_first(target: Target, operands: int, result: int) -> bool:
    """Whether caches hold what is read, whatever the order, and not what is made. In bytes."""
    return 2 * operands <= target.l2_cache < result

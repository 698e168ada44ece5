"""The largest elements of rows: a program for each row, which halves the range that the least of
them is in, and then, if others are equal to it, the places up to which they count."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.selection import FARTHEST, Largest
from ir.types import F32, I32

from ..builder import KernelBuilder
from ..expressions import SCALAR, across, any_lane, as_i32, constant, element, read
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task

_HALVES = 320
"""So often the range of finite floats can be halved at most."""
_PLACE_HALVES = 32
_LANES = frozenset({0})


@single(
    Largest,
    lambda node: node.inputs[0].shape[1],
    Config((("BLOCK", 256),), 4),
    Config((("BLOCK", 1024),), 4),
    lanes=True,
)
def largest_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    builder.place(node.location)
    row = _Row(task, node, builder)
    least = row.least()
    row.store(least, row.last_of(least))
    rows, length = node.inputs[0].shape
    why = f"some of {length} elements, one row per program"
    return task.kernel(builder, "largest", ("BLOCK",), config, (rows, 1), why)


class _Row:
    """The row of a program."""

    def __init__(self, task: Task, node: Node, builder: KernelBuilder) -> None:
        self.builder = builder
        x, counts = node.inputs
        self.values, self.result = (pointer_to(task, builder, v) for v in (x, node.output))
        self.size = builder.size(builder.extent(x.shape[1], "length"))
        row = builder.let(builder.program(), "i", "row")
        self.start = builder.let(row * self.size, "i", "start")
        said = builder.let(read(element(pointer_to(task, builder, counts), row)), "x", "said")
        most = e.minimum(said, as_i32(self.size))
        self.count = builder.let(e.maximum(most, 0), "i", "count")

    @contextlib.contextmanager
    def _elements(self) -> Iterator[tuple[Expr, Expr, Expr]]:
        """Blocks of the row: places, which there are, and the finite numbers that stand there."""
        builder = self.builder
        with builder.loop(self.size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            inside = builder.let(place < self.size, "m", "inside")
            found = builder.let(read(element(self.values, self.start + place, (inside,)), 0.0), "x")
            number = e.where(e.equal(found, found), found, FARTHEST)
            number = e.where(number > FARTHEST, FARTHEST, number)
            number = e.where(number < -FARTHEST, -FARTHEST, number)
            yield place, inside, builder.let(number, "x", "number")

    def _gather(self, start: Expr, hint: str) -> Expr:
        return self.builder.declare(start, _LANES, "r", hint)

    def _one(self, kind: str, tile: Expr) -> Expr:
        return self.builder.now(across(kind, tile, (0,)), "one")

    def least(self) -> Expr:
        """The least of those that are taken."""
        builder, far = self.builder, e.const(FARTHEST)
        lows = self._gather(far, "lows")
        highs = self._gather(e.const(-FARTHEST), "highs")
        with self._elements() as (_, inside, number):
            builder.assign(lows, e.minimum(lows, e.where(inside, number, FARTHEST)))
            builder.assign(highs, e.maximum(highs, e.where(inside, number, -FARTHEST)))
        low = builder.declare(far, SCALAR, "r", "low")
        high = builder.declare(far, SCALAR, "r", "high")
        builder.assign(low, self._one("min", lows))
        builder.assign(high, self._one("max", highs))
        with (
            builder.loop(e.const(_HALVES), hint="turn"),
            builder.when(any_lane(low < high)),
        ):
            middle = builder.now(low * 0.5 + high * 0.5, "middle")
            middle = builder.now(e.where(middle > low, middle, high), "limit")
            number_above = self._gather(e.const(0, I32), "number_above")
            above, below = (
                self._gather(e.const(start, F32), kind)
                for kind, start in (("min", FARTHEST), ("max", -FARTHEST))
            )
            with self._elements() as (_, inside, number):
                over = builder.let(inside & (number >= middle), "m", "over")
                under = builder.let(inside & (number < middle), "m", "under")
                builder.assign(number_above, number_above + e.where(over, 1, 0))
                builder.assign(above, e.minimum(above, e.where(over, number, FARTHEST)))
                builder.assign(below, e.maximum(below, e.where(under, number, -FARTHEST)))
            enough = self._one("sum", number_above) >= self.count
            next_low = builder.now(e.where(enough, self._one("min", above), low), "next_low")
            next_high = builder.now(e.where(enough, high, self._one("max", below)), "next_high")
            builder.assign(low, next_low)
            builder.assign(high, next_high)
        return low

    def last_of(self, least: Expr) -> Expr:
        """Before which place those count that are equal to the least."""
        builder = self.builder
        more, equal = (self._gather(e.const(0, I32), name) for name in ("more", "equal"))
        with self._elements() as (_, inside, number):
            builder.assign(more, more + e.where(inside & (number > least), 1, 0))
            same = e.equal(number, least)
            builder.assign(equal, equal + e.where(inside & same, 1, 0))
        need = builder.now(self.count - self._one("sum", more), "need")
        end = builder.declare(e.const(0, I32), SCALAR, "i", "end")
        builder.assign(end, as_i32(self.size) + e.const(0) * need)
        # Where all of them count nothing is to be found out.
        first = builder.declare(e.const(0, I32), SCALAR, "i", "first")
        builder.assign(first, e.where(e.equal(self._one("sum", equal), need), end, 0))
        with (
            builder.loop(e.const(_PLACE_HALVES), hint="turn"),
            builder.when(any_lane(first + 1 < end)),
        ):
            middle = builder.now((first + end) // 2, "middle")
            before = self._gather(e.const(0, I32), "before")
            with self._elements() as (place, inside, number):
                mine = inside & e.equal(number, least) & (as_i32(place) < middle)
                builder.assign(before, before + e.where(mine, 1, 0))
            enough = self._one("sum", before) >= need
            next_end = builder.now(e.where(enough, middle, end), "next_end")
            next_first = builder.now(e.where(enough, first, middle), "next_first")
            builder.assign(end, next_end)
            builder.assign(first, next_first)
        return end

    def store(self, least: Expr, end: Expr) -> None:
        with self._elements() as (place, inside, number):
            taken = (number > least) | (e.equal(number, least) & (as_i32(place) < end))
            chosen = e.where(taken & (self.count > 0), 1, 0)
            spot = self.builder.let(self.start + place, "i", "spot")
            self.builder.store(element(self.result, spot, (inside,)), chosen)

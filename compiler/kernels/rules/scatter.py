"""Rows added up where they belong.

First the places of rows are brought into the order of their numbers, so that those of one number
stand together, in their own order: ``order`` holds the places, ``ends`` where those of each number
end. Then every row of the result adds up its own. No sum depends on how many programs there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.gather import ScatterAdd
from ir.types import I32

from ..builder import KernelBuilder
from ..expressions import across, as_computed, as_held, as_i32, cdiv, constant, element, read
from ..monomial import Monomial
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task

_INDEX_BITS = 31


@dataclass(frozen=True, slots=True)
class _Order:
    """The order of the places of a scatter's rows, in scratch memory."""

    task: Task
    node: Node

    @property
    def count(self) -> int:
        """Rows of the result."""
        return self.node.output.shape[0]

    @property
    def number(self) -> int:
        """Rows that are added up."""
        return self.node.inputs[1].shape[0]

    @property
    def order(self) -> Scratch:
        return Scratch(0, (self.number + 16) * I32.itemsize)

    @property
    def ends(self) -> Scratch:
        return Scratch(1, (self.count + 16) * I32.itemsize)

    def kernels(self, config: Config) -> Iterator[KernelBody]:
        """Those that make it."""
        if self.task.heuristic.one_thread:
            yield self.counted()
        else:
            yield self.ranked(config)
            yield self.bounded(config)

    def counted(self) -> KernelBody:
        """By one program, which counts how often there is each number."""
        builder, numbers, size, total = self._begin()
        order, ends = self.pointers(builder)
        with builder.loop(size, hint="row") as row:
            builder.store(element(ends, row), e.const(0))
        with builder.loop(total, hint="place") as place:
            row, known = self._number(builder, numbers, place, size)
            with builder.when(known):
                before = builder.let(read(element(ends, row)), "i", "before")
                builder.store(element(ends, row), before + 1)
        sum = builder.declare(e.const(0), frozenset(), "i", "sum")
        with builder.loop(size, hint="row") as row:
            many = builder.let(read(element(ends, row)), "i", "many")
            builder.store(element(ends, row), sum)
            builder.increase(sum, many)
        with builder.loop(total, hint="place") as place:
            row, known = self._number(builder, numbers, place, size)
            with builder.when(known):
                spot = builder.let(read(element(ends, row)), "i", "spot")
                builder.store(element(order, spot), as_i32(place))
                builder.store(element(ends, row), spot + 1)
        why = f"the places of {self.number} rows by their numbers: counted, then put there"
        writes = self.order, self.ends
        return self.task.kernel(
            builder, "count_rows", (), Config(()), (1, 1), why, ".order", writes
        )

    def ranked(self, config: Config) -> KernelBody:
        """By many programs: a place comes after as many as there are smaller numbers, or equal ones
        before it."""
        builder, numbers, size, total = self._begin()
        order, _ = self.pointers(builder)
        start = builder.let(builder.program() * constant("BLOCK"), "i", "start")
        place = builder.let(start + builder.lanes("BLOCK", 1), "i", "place")
        inside = builder.let(place < total, "m", "inside")
        own = builder.let(self._key(builder, numbers, place, (inside,), size), "x", "own")
        before = builder.declare(e.const(0), frozenset({0, 1}), "acc", "before")
        with builder.loop(total, step=constant("ROWS"), hint="k") as step:
            other = builder.let(step + builder.lanes("ROWS", 0), "i", "other")
            there = builder.let(other < total, "m")
            key = builder.let(self._key(builder, numbers, other, (there,), size), "x", "key")
            ahead = (key < own) | (e.equal(key, own) & (other < place))
            builder.increase(before, e.where(builder.let(there & ahead, "m"), 1, 0))
        rank = builder.let(across("sum", before, (0,)), "i", "rank")
        builder.store(element(order, rank, (inside,)), as_i32(place))
        programs = -(-self.number // config["BLOCK"])
        why = f"the places of {self.number} rows by their numbers: each counts what is before it"
        tile = "ROWS", "BLOCK"
        return self.task.kernel(
            builder, "rank_rows", tile, config, (programs, 1), why, ".order", (self.order,)
        )

    def bounded(self, config: Config) -> KernelBody:
        """Where the places of each number end, found by halving what is left to search."""
        builder, numbers, size, total = self._begin()
        order, ends = self.pointers(builder)
        config = Config((("BLOCK", config["BLOCK"]),), config.num_warps)
        start = builder.let(builder.program() * constant("BLOCK"), "i", "start")
        row = builder.let(start + builder.lanes("BLOCK"), "i", "row")
        inside = builder.let(row < size, "m", "inside")
        axes = frozenset({0})
        low = builder.declare(e.const(0), axes, "i", "low")
        high = builder.declare(as_i32(total), axes, "i", "high")
        with builder.loop(e.const(_INDEX_BITS), hint="turn"):
            left = builder.let(low < high, "m", "left")
            middle = builder.let(low + (high - low) // 2, "i", "middle")
            place = builder.let(read(element(order, middle, (left, inside)), 0), "i", "place")
            key = self._key(builder, numbers, place, (left, inside), size)
            before = builder.let(left & (builder.let(key, "x", "key") <= row), "m", "before")
            after = builder.let(left & (key > row), "m", "after")
            builder.assign(high, e.where(after, middle, high))
            builder.assign(low, e.where(before, middle + 1, low))
        builder.store(element(ends, row, (inside,)), low)
        programs = -(-self.count // config["BLOCK"])
        why = f"where the places of each of {self.count} numbers end"
        return self.task.kernel(
            builder, "bound_rows", ("BLOCK",), config, (programs, 1), why, ".ends", (self.ends,)
        )

    def pointers(self, builder: KernelBuilder) -> tuple[Expr, Expr]:
        """To the order, and to the ends."""
        return builder.pointer(self.order, I32, "order"), builder.pointer(self.ends, I32, "ends")

    def _begin(self) -> tuple[KernelBuilder, Expr, Expr, Expr]:
        """A kernel's builder, the numbers, how many rows the result has, how many numbers."""
        builder = self.task.builder()
        builder.place(self.node.location)
        numbers = pointer_to(self.task, builder, self.node.inputs[1])
        size = builder.size(builder.extent(self.count, "rows"))
        return builder, numbers, size, builder.size(self.amount(builder))

    def amount(self, builder: KernelBuilder) -> Monomial:
        return builder.amount(self.number, "numbers")

    @staticmethod
    def _number(
        builder: KernelBuilder, numbers: Expr, place: Expr, size: Expr
    ) -> tuple[Expr, Expr]:
        row = builder.let(read(element(numbers, place)), "x", "row")
        return row, builder.let((row >= 0) & (row < size), "m", "known")

    @staticmethod
    def _key(
        builder: KernelBuilder, numbers: Expr, place: Expr, mask: tuple[Expr, ...], size: Expr
    ) -> Expr:
        """The number of a row; what is no row of the result comes after all that are."""
        row = builder.let(read(element(numbers, place, mask), -1), "x", "number")
        return e.where((row >= 0) & (row < size), row, as_i32(size))


def _order_kernels(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    return _Order(task, node).kernels(config)


@single(
    ScatterAdd,
    lambda node: node.output.shape[1],
    Config((("ROWS", 16), ("BLOCK", 64)), 4),
    Config((("ROWS", 16), ("BLOCK", 256)), 4),
    before=_order_kernels,
    lanes=True,
)
def scatter_add_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """A program owns a stretch of one row and adds up what belongs there, in its order."""
    order = _Order(task, node)
    count, width = node.output.shape
    builder.place(node.location)
    g, out = (pointer_to(task, builder, v) for v in (node.inputs[0], node.output))
    places, ends = order.pointers(builder)
    size = builder.size(builder.extent(width, "width"))
    program = builder.let(builder.program(), "i", "program")
    blocks = builder.let(cdiv(size, constant("BLOCK")), "i", "blocks")
    row = builder.let(program // blocks, "i", "row")
    start = program % blocks * constant("BLOCK")
    column = builder.let(start + builder.lanes("BLOCK", 1), "i", "column")
    inside = builder.let(column < size, "m", "inside")
    first = builder.let(row > 0, "m")
    begin = builder.let(read(element(ends, row - 1, (first,)), 0), "i", "begin")
    end = builder.let(read(element(ends, row)), "i", "end")
    total = builder.declare(e.const(0.0), frozenset({0, 1}), "acc", "acc")
    with builder.loop(end, begin, constant("ROWS"), hint="k") as step:
        at = builder.let(step + builder.lanes("ROWS", 0), "i", "at")
        there = builder.let(at < end, "m", "there")
        place = builder.let(read(element(places, at, (there,)), 0), "i", "place")
        source = element(g, place * size + column, (there, inside))
        builder.increase(total, as_computed(read(source, 0.0)))
    sums = as_held(across("sum", total, (0,)), out.dtype)
    builder.store(element(out, row * size + column, (inside,)), sums)
    programs = count * -(-width // config["BLOCK"])
    why = f"{count} rows, of each those of {order.number} that have its number"
    return task.kernel(builder, "scatter_add", ("ROWS", "BLOCK"), config, (programs, 1), why)

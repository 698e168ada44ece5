"""Rows sorted by programs that are one thread: those that are asked for are found first, by what
the last of them is; then they are put in order by bytes of their keys, from the last byte on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.types import I32

from ...expressions import SCALAR, across, any_lane, as_i32, byte, constant, element, read
from ...nodes import KernelBody
from ...schedules.shares import RowShares
from .rows import LEAST_KEY, RowsToSort
from .threshold import threshold

_BYTES, _VALUES = 4, 256
_BEHIND = 16  # keys that are read behind a row, at least
_LISTS = 4  # keys and places, and where they are put next
_MORE = 16  # of a list: one is written behind it


class SortedRow:
    """The largest come first, of equal ones those that stand first. Where the last one of these is
    to be the first, places are counted from the row's end."""

    def __init__(self, row: RowsToSort, config: Config) -> None:
        self.row, self.builder, self.config = row, row.builder, config
        self.whole = row.k == row.length
        self.shares = RowShares(row.task, row.rows)
        programs, behind = self.shares.programs, max(_BEHIND, config["BLOCK"])
        sizes = (
            0 if self.whole else programs * (row.length + behind),
            programs * _LISTS * (row.k + _MORE),
            programs * _BYTES * _VALUES,
        )
        self.scratch = [Scratch(i, size * I32.itemsize) for i, size in enumerate(sizes)]
        names = ("keys", "lists", "counts")
        self.keys, self.lists, self.counts = (
            self.builder.pointer(scratch, I32, name)
            for scratch, name in zip(self.scratch, names, strict=True)
        )
        self.behind = behind

    def kernel(self) -> KernelBody:
        row, builder = self.row, self.builder
        with self.shares.each(builder) as (number, program):
            line = builder.let(row.count + _MORE, "i", "line")
            list = builder.let(program * (line * _LISTS), "i", "list")
            if self.whole:
                self._take_all(number, list, line)
            else:
                first = builder.let(program * (row.size + self.behind), "i", "first")
                self._take_largest(number, first, list, line)
            counts = builder.let(program * (_BYTES * _VALUES), "i", "counts")
            sorted = self._sort(list, line, counts)
            with builder.loop(row.count, step=constant("BLOCK"), hint="step") as step:
                spot = builder.let(step + builder.lanes("BLOCK"), "i", "spot")
                inside = builder.let(spot < row.count, "m", "inside")
                held = read(element(self.lists, sorted + line + spot, (inside,)), 0)
                place = self._place(builder.now(held, "held"))
                row.tell(number, number * row.count + spot, place, (inside,))
        why = f"the {row.k} largest of {row.length}, by bytes of what their order is"
        scratch = self.scratch[1:] if self.whole else self.scratch
        return row.task.kernel(
            builder,
            "sort_rows",
            ("BLOCK",),
            self.config,
            (self.shares.programs, 1),
            why,
            writes=(*row.task.node.outputs, *scratch),
        )

    def _place(self, place: Expr) -> Expr:
        """From the row's other end."""
        return place if self.row.op.tie == "first" else self.row.size - 1 - place

    @contextlib.contextmanager
    def _elements(self, number: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
        """Places, which of them are there, and their keys."""
        builder, size = self.builder, self.row.size
        with builder.loop(size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            inside = builder.let(place < size, "m", "inside")
            key = self.row.key(number, self._place(place), (inside,))
            yield place, inside, builder.let(key, "x", "key")

    def _take_all(self, number: Expr, list: Expr, line: Expr) -> None:
        with self._elements(number) as (place, inside, key):
            self.builder.store(element(self.lists, list + place, (inside,)), key)
            to = element(self.lists, list + line + place, (inside,))
            self.builder.store(to, as_i32(place))

    def _take_largest(self, number: Expr, first: Expr, list: Expr, line: Expr) -> None:
        """In the order of their places."""
        builder, size = self.builder, self.row.size
        axes = frozenset({0})
        least = builder.declare(e.const(2**31 - 1), axes, "i", "least")
        largest = builder.declare(e.const(LEAST_KEY), axes, "i", "largest")
        with self._elements(number) as (place, inside, key):
            known = builder.let(e.where(inside, key, LEAST_KEY), "x", "known")
            builder.store(element(self.keys, first + place), known)
            builder.assign(largest, e.maximum(largest, known))
            builder.assign(least, e.minimum(least, e.where(inside, key, least)))

        @contextlib.contextmanager
        def blocks() -> Iterator[tuple[Expr, Expr]]:
            with builder.loop(size, step=constant("BLOCK"), hint="step") as step:
                place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
                yield step, builder.now(read(element(self.keys, first + place)), "key")

        low = builder.now(across("min", least, (0,)), "low")
        high = builder.now(across("max", largest, (0,)), "high")
        last, larger = threshold(builder, blocks, self.row.count, low, high)
        left = builder.declare(e.const(0), SCALAR, "i", "left")  # equal to the last one
        builder.assign(left, self.row.count - larger)
        found = builder.declare(e.const(0), SCALAR, "i", "taken")
        with blocks() as (step, keys):
            some = (keys > last) | (e.equal(keys, last) & (left > 0))
            with builder.when(any_lane(some)):
                end = builder.now(e.minimum(step + constant("BLOCK"), size), "end")
                with builder.loop(end, step, hint="place") as place:
                    key = builder.now(read(element(self.keys, first + place)), "own")
                    equal = builder.let(e.equal(key, last), "m", "equal")
                    taken = builder.now((key > last) | (equal & (left > 0)), "wanted")
                    builder.store(element(self.lists, list + found), key)
                    builder.store(element(self.lists, list + line + found), as_i32(place))
                    builder.increase(found, e.where(taken, 1, 0))
                    builder.increase(left, e.where(equal, -1, 0))

    def _sort(self, list: Expr, line: Expr, counts: Expr) -> Expr:
        """Where the list lies that has them in order: bytes that all have alike change nothing."""
        builder, count = self.builder, self.row.count
        here = builder.declare(e.const(0), SCALAR, "i", "here")
        there = builder.declare(e.const(0), SCALAR, "i", "there")
        builder.assign(here, list)
        builder.assign(there, list + line * 2)
        with builder.loop(e.const(_BYTES * _VALUES), step=constant("BLOCK"), hint="step") as step:
            value = builder.let(step + builder.lanes("BLOCK"), "i", "value")
            builder.store(element(self.counts, counts + value), e.const(0))
        with builder.loop(count, hint="place") as place:
            key = builder.now(read(element(self.lists, list + place)), "key")
            for number in range(_BYTES):
                spot = builder.now(counts + _VALUES * number + _digit(key, number), "spot")
                builder.store(element(self.counts, spot), read(element(self.counts, spot)) + 1)
        for number in range(_BYTES):
            own = builder.now(counts + _VALUES * number, "own")
            key = builder.now(read(element(self.lists, here)), "one")
            alike = builder.now(read(element(self.counts, own + _digit(key, number))), "alike")
            with builder.when(alike < count):
                sum = builder.declare(e.const(0), SCALAR, "i", "sum")
                with builder.loop(e.const(_VALUES), hint="value") as value:
                    many = builder.now(read(element(self.counts, own + value)), "many")
                    builder.store(element(self.counts, own + value), sum)
                    builder.increase(sum, many)
                with builder.loop(count, hint="place") as place:
                    key = builder.now(read(element(self.lists, here + place)), "key")
                    held = builder.now(read(element(self.lists, here + line + place)), "held")
                    spot = builder.now(own + _digit(key, number), "spot")
                    to = builder.now(read(element(self.counts, spot)), "to")
                    builder.store(element(self.lists, there + to), key)
                    builder.store(element(self.lists, there + line + to), held)
                    builder.store(element(self.counts, spot), to + 1)
                before = builder.now(here, "before")
                builder.assign(here, there)
                builder.assign(there, before)
        return here


def _digit(key: Expr, number: int) -> Expr:
    """A byte of a key, less for larger keys. The first one has the sign."""
    value = byte(key, e.const(number))
    return 255 - value if number < _BYTES - 1 else (383 - value) % _VALUES

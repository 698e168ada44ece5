"""Rows sorted by programs of many lanes: one for a row finds the elements that are asked for, by
what the last of them is; then each of these counts how many are before it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.types import I32

from ...expressions import (
    SCALAR,
    across,
    as_i32,
    cdiv,
    constant,
    element,
    read,
    running_sum,
)
from ...nodes import KernelBody
from .rows import LEAST_KEY, RowsToSort
from .threshold import number_of, threshold

RANKS = Config((("ROWS", 16), ("BLOCK", 64)), 4)
_LANES = frozenset({0})


def take_kernel(row: RowsToSort, config: Config) -> KernelBody:
    """The keys and places of those that are asked for, in the order of their places."""
    builder, size = row.builder, row.size
    keys, places = _lists(row)
    program = builder.let(builder.program(), "i", "row")

    @contextlib.contextmanager
    def blocks() -> Iterator[tuple[Expr, Expr]]:
        with builder.loop(size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            inside = builder.let(place < size, "m", "inside")
            key = e.where(inside, row.key(program, place, (inside,)), LEAST_KEY)
            yield place, builder.let(key, "x", "key")

    least = builder.declare(e.const(2**31 - 1), _LANES, "i", "least")
    largest = builder.declare(e.const(LEAST_KEY), _LANES, "i", "largest")
    with blocks() as (place, key):
        builder.assign(least, e.minimum(least, e.where(place < size, key, least)))
        builder.assign(largest, e.maximum(largest, key))
    low = builder.now(across("min", least, (0,)), "low")
    high = builder.now(across("max", largest, (0,)), "high")
    last, larger = threshold(builder, blocks, row.count, low, high)
    wanted = builder.let(row.count - larger, "i", "wanted")  # of those that are equal to the last
    skipped = e.const(0)
    if row.op.tie == "last":
        equal = number_of(builder, blocks, lambda place, key: e.equal(key, last) & (place < size))
        skipped = builder.let(equal - wanted, "i", "skipped")
    met = builder.declare(e.const(0), SCALAR, "i", "met")
    taken = builder.declare(e.const(0), SCALAR, "i", "taken")
    with blocks() as (place, key):
        inside = place < size
        equal = builder.let(e.where(e.equal(key, last) & inside, 1, 0), "i", "equal")
        rank = builder.let(running_sum(equal, 0) + met, "i", "rank")
        within = (rank > skipped) & (rank <= skipped + wanted) & (equal > 0)
        take = builder.let(((key > last) & inside) | within, "m", "take")
        one = builder.let(e.where(take, 1, 0), "i", "one")
        spot = builder.let(running_sum(one, 0) + taken - 1 + program * row.count, "i", "spot")
        builder.store(element(keys, spot, (take,)), key)
        builder.store(element(places, spot, (take,)), as_i32(place))
        builder.increase(met, across("sum", equal, (0,)))
        builder.increase(taken, across("sum", one, (0,)))
    why = f"which are the {row.k} largest of {row.length}, one row per program"
    writes = _scratch(row)
    return row.task.kernel(
        builder, "take_largest", ("BLOCK",), config, (row.rows, 1), why, ".taken", writes
    )


def rank_kernel(row: RowsToSort) -> KernelBody:
    """Of those that were taken each comes after those that are before it in the order."""
    builder, count = row.builder, row.count
    keys, places = _lists(row)
    blocks = builder.let(cdiv(count, constant("BLOCK")), "i", "blocks")
    program = builder.let(builder.program(), "i", "program")
    number = builder.let(program // blocks, "i", "row")
    first = builder.let(number * count, "i", "first")
    start = builder.let(program % blocks * constant("BLOCK"), "i", "start")
    place = builder.let(start + builder.lanes("BLOCK", 1), "i", "place")
    inside = builder.let(place < count, "m", "inside")
    own = builder.let(read(element(keys, first + place, (inside,)), 0), "x", "own")
    before = builder.declare(e.const(0), frozenset({0, 1}), "acc", "before")
    with builder.loop(count, step=constant("ROWS"), hint="k") as step:
        other = builder.let(step + builder.lanes("ROWS", 0), "i", "other")
        there = builder.let(other < count, "m", "there")
        key = builder.let(read(element(keys, first + other, (there,)), 0), "x", "key")
        nearer = other < place if row.op.tie == "first" else other > place
        ahead = there & ((key > own) | (e.equal(key, own) & nearer))
        builder.increase(before, e.where(ahead, 1, 0))
    rank = builder.let(across("sum", before, (0,)), "i", "rank")
    held = builder.let(read(element(places, first + place, (inside,)), 0), "x", "held")
    row.tell(number, first + rank, held, (inside,))
    why = f"{row.k} elements of a row in order: each counts what is before it"
    grid = row.rows * -(-row.k // RANKS["BLOCK"])
    return row.task.kernel(builder, "rank_taken", ("ROWS", "BLOCK"), RANKS, (grid, 1), why)


def _scratch(row: RowsToSort) -> tuple[Scratch, Scratch]:
    """Keys, and places."""
    nbytes = (row.rows * row.k + 16) * I32.itemsize
    return Scratch(0, nbytes), Scratch(1, nbytes)


def _lists(row: RowsToSort) -> tuple[Expr, Expr]:
    keys, places = _scratch(row)
    return row.builder.pointer(keys, I32, "keys"), row.builder.pointer(places, I32, "places")

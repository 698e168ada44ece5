"""Results of which only so many rows count: put in order of their scores, numbered, picked.

They are computed for as many rows as there could be; a top is trimmed to what was found.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.ops.dynamic import Trim
from ir.ops.gather import Gather
from ir.ops.introsort import IntroSort
from ir.ops.sort import TopK
from ir.size import smaller
from ir.types import I32

from .context import LayerContext

ABSENT = -3.4028234663852886e38
"""The lowest f32, as the score of what does not count: scores above it do."""

MOST_PLACES = 1 << 24
"""Whole numbers up to here are f32 numbers: so many places can be sorted by."""


@dataclass(frozen=True)
class Ranked:
    """The best of each row, in order.

    Attributes:
        scores: f32[R, k], :data:`ABSENT` beyond the number of a row.
        places: i32[R, k], where they stood in their rows.
        counts: i32[R], how many of each row count.
    """

    scores: Value
    places: Value
    counts: Value


def ranked(b: Builder, scores: Value, k: int, later_first: bool = False) -> Ranked:
    """The ``k`` best of each row of ``scores`` [R, K], 1 <= k <= K; of equal ones the first.

    ``later_first``: of equal ones the last.
    """
    best, places = b.emit_all(TopK(k, "last" if later_first else "first"), scores)
    return Ranked(best, places, number_found(b, best))


def ranked_as_cpp(
    b: Builder, scores: Value, k: int, cut_only: bool = False, pivot: str = "median"
) -> Ranked:
    """As :func:`ranked`, with equal ones in the order in which C++ programs leave them.

    Args:
        cut_only: only of rows of which more than ``k`` count, so that some are cut off.
        pivot: as IntroSort has it: ``median`` is that of ``std::sort``.
    """
    rows, length = scores.shape
    more = smaller(k + 1, length)
    best, places = b.emit_all(TopK(more, "first"), scores)
    kept = Ranked(b.slice(best, 1, 0, k), b.slice(places, 1, 0, k), number_found(b, best))
    counts = b.map(e.minimum(e.arg(0, I32), e.dyn(k)), kept.counts)
    if more == 1:
        return Ranked(kept.scores, kept.places, counts)
    # Only where two of them are equal does another order matter.
    same = e.equal(e.arg(0), e.arg(1)) & (e.arg(1) > ABSENT)
    pairs = b.map(e.where(same, 1.0, 0.0), b.slice(best, 1, 0, more - 1), b.slice(best, 1, 1, more))
    equal = b.reshape(b.reduce("max", pairs, (1,)), (rows,))
    wanted = e.arg(0) > 0.0
    if cut_only:
        wanted = wanted & (e.arg(1, I32) > e.dyn(k))
    flags = b.map(e.where(wanted, e.const(1), e.const(0)), equal, kept.counts)
    marked = b.map(e.where(e.arg(0) > ABSENT, e.const(1), e.const(0)), scores)
    others = b.emit(IntroSort(k, pivot), scores, marked, flags)
    chosen = e.where(e.equal(e.arg(2, I32), 1), e.arg(1, I32), e.arg(0, I32))
    placed = b.map(chosen, kept.places, others, b.reshape(flags, (rows, 1)))
    return Ranked(kept.scores, placed, counts)


def number_found(b: Builder, scores: Value) -> Value:
    """How many of each row [R, K] count: i32[R]."""
    ones = b.map(e.where(e.arg(0) > ABSENT, 1.0, 0.0), scores)
    return b.map(e.to_int(e.arg(0)), b.reshape(b.sum(ones, (1,)), scores.shape[:1]))


def first_kept(b: Builder, flags: Value, k: int) -> Value:
    """The places of the first ``k`` that are 1 in each row of ``flags``, i32[R, K]: i32[R, k]. All
    others are 0."""
    return b.emit_all(TopK(k, "first"), flags)[1]


def picked(b: Builder, table: Value, rows: Value) -> Value:
    """Rows of a table [R] or [R, D] by number, whatever the shape of ``rows``: (*rows, D)."""
    count = rows.type.size
    width = table.shape[1:]
    flat = b.emit(
        Gather(), b.reshape(table, (table.shape[0], *(width or (1,)))), b.reshape(rows, (count,))
    )
    return b.reshape(flat, (*rows.shape, *width))


def picked_places(b: Builder, places: Value, rows: Value) -> Value:
    """As :func:`picked`, of whole numbers i32[R]."""
    numbers = b.map(e.to_float(e.arg(0, I32)), places)
    return b.map(e.to_int(e.arg(0)), picked(b, numbers, rows))


@dataclass(frozen=True)
class GroupedRows:
    """Rows numbered group by group, each of which has so many.

    Attributes:
        group, number: of each row, i32[D]; beyond those that there are they are any.
        total: i32[1], how many there are.
    """

    group: Value
    number: Value
    total: Value


def grouped_rows(b: Builder, counts: Value, rows: int) -> GroupedRows:
    """``rows`` rows for groups of ``counts`` (i32[G]): as many as there could be in all."""
    groups = counts.shape[0]
    numbers = b.map(e.to_float(e.arg(0, I32)), counts)
    down, across = b.reshape(numbers, (groups, 1)), b.reshape(numbers, (1, groups))
    before = b.map(e.where(e.index(0) <= e.index(1), e.arg(0), 0.0), down, shape=(groups, groups))
    past = e.arg(0) <= e.to_float(e.index(0))
    parts = b.maps(
        [e.where(past, 1.0, 0.0), e.where(past, e.arg(1), 0.0)],
        b.sum(before, (0,)),
        across,
        shape=(rows, groups),
    )
    group, start = (b.reshape(b.sum(part, (1,)), (rows,)) for part in parts)
    return GroupedRows(
        b.map(e.minimum(e.to_int(e.arg(0)), e.dyn(groups - 1)), group),
        b.map(e.index(0) - e.to_int(e.arg(0)), start),
        b.map(e.to_int(e.arg(0)), b.sum(numbers, (0,))),
    )


def trimmed(ctx: LayerContext, axis: int, rows: Value, total: Value, first: int = 1) -> Value:
    """The first ``total`` (i32[1]) of ``rows`` along an axis, as the last op of a layer.

    ``first``: for so many a net is made before any are known, as Caffe's layers are set up.
    """
    key = f"{ctx.key}/rows"
    # What there could be may have become less since.
    count = min(ctx.told(key, first), rows.shape[axis])
    return ctx.b.emit(Trim(count, axis, key), rows, total)


def detections(ctx: LayerContext, rows: Value, total: Value, images: int) -> Value:
    """(1, 1, D, 7) of ``rows`` [D, 7], D >= images; where there are none, a row of -1 for each
    image, but for the image's number."""
    b = ctx.b
    none = e.where(e.equal(e.index(1), 0), e.to_float(e.index(0)), -1.0)
    any_row = e.arg(1, I32) > 0
    made = b.map(e.where(any_row, e.arg(0), none), rows, b.reshape(total, (1, 1)))
    shown = b.map(e.where(e.arg(0, I32) > 0, e.arg(0, I32), e.dyn(images)), total)
    return trimmed(ctx, 2, b.reshape(made, (1, 1, *rows.shape)), shown)

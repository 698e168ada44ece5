"""Some of what is marked, at random; the same ones whenever a run is repeated."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value
from ir.ops.gather import ScatterAdd
from ir.size import smaller
from ir.types import I32

from .context import LayerContext
from .found_rows import ABSENT, Ranked, ranked


def drawn_at_random(ctx: LayerContext, marks: Value, most: int) -> Ranked:
    """At most ``most`` of the elements that are 1 in ``marks`` (f32[K]), in random order.

    The result has one row.
    """
    b = ctx.b
    (count,) = marks.shape
    key, parts = ctx.uniform(1, 1)
    keys = b.map(e.where(e.arg(0) > 0.5, key, ABSENT), marks, *parts)
    return ranked(b, b.reshape(keys, (1, count)), smaller(most, count))


def marked(ctx: LayerContext, chosen: Ranked, numbers: Value, count: int) -> Value:
    """f32[count] with a 1 where the first ``numbers`` (i32[1]) of ``chosen`` stand."""
    b = ctx.b
    rows = chosen.places.shape[1]
    inside = e.index(1) < e.arg(1, I32)
    places = b.map(e.where(inside, e.arg(0, I32), -1), chosen.places, b.reshape(numbers, (1, 1)))
    ones = b.fill(1.0, (rows, 1))
    return b.reshape(b.emit(ScatterAdd(count), ones, b.reshape(places, (rows,))), (count,))

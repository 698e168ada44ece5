"""Centroids of labels, as MyCaffe's layers keep them: how many, and which is the nearest."""

from __future__ import annotations

import math

from frontends.prototxt.message import Message
from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.types import I32

from .context import LayerContext

FARTHEST = 3.4028234663852886e38
"""FLT_MAX: the distance of what is never the nearest."""

LABELS = 10
"""Labels where the net does not say how many."""

_MOST_LABELS = 1 << 20


def label_count(ctx: LayerContext, decode: Message) -> int:
    """How many labels there are. MyCaffe finds it out from the data, and begins anew with each
    that is larger; blobs have one size here."""
    count: int = decode.pregen_label_count if decode.has("pregen_label_count") else 0
    ctx.check(
        count <= _MOST_LABELS,
        f"pregen_label_count is {count}",
        "decode_param",
        f"at most {_MOST_LABELS}",
    )
    if count > 0:
        return count
    ctx.note(f"pregen_label_count does not say how many labels there are: {LABELS} are taken")
    return LABELS


def rows_of(ctx: LayerContext, width: int) -> Value:
    """The first bottom as (N, ``width``)."""
    return ctx.b.reshape(ctx.x, (ctx.x.shape[0], width))


def first_labels(ctx: LayerContext, bottom: int = 1) -> Value:
    """The first label of every row (i32): those of pairs and triplets stand side by side."""
    b, labels = ctx.b, ctx.bottoms[bottom]
    rows = ctx.x.shape[0]
    ctx.check(
        bool(labels.shape) and labels.shape[0] == rows and labels.type.size >= rows,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(labels.shape)}, and there are {rows} rows "
        f"in '{ctx.layer.bottom[0]}' {list(ctx.x.shape)}",
        "bottom",
        "one label for each, or several of which the first counts",
        index=bottom,
    )
    flat = b.reshape(labels, (rows, math.prod(labels.shape[1:])))
    return b.map(e.to_int(e.arg(0)), b.reshape(b.slice(flat, 1, 0, 1), (rows,)))


def squared_distances(b: Builder, rows: Value, centroids: Value) -> Value:
    """(N, L): of each row (N, D) and centroid (L, D)."""
    (n, width), labels = rows.shape, centroids.shape[0]
    difference = e.arg(0) - e.arg(1)
    apart = b.map(
        difference * difference,
        b.reshape(rows, (n, 1, width)),
        b.reshape(centroids, (1, labels, width)),
    )
    return b.reshape(b.sum(apart, (2,)), (n, labels))


def highest_seen(b: Builder, seen: Value) -> Value:
    """The highest label (i32, (1,)) of which something was seen (L,); 1 at least, since MyCaffe
    begins with two labels."""
    there = e.where(e.arg(0) > 0.0, e.index(0), 0)
    return b.map(e.maximum(e.arg(0, I32), 1), b.reduce("max", b.map(there, seen), (0,)))


def nearest(b: Builder, distances: Value) -> Value:
    """(N, 1): the first of the nearest labels, i32; -1 where all are as far as can be."""
    # A distance that is NaN is no smallest one.
    known = b.map(e.where(e.arg(0) < FARTHEST, e.arg(0), FARTHEST), distances)
    place, least = b.emit(ArgExtreme("min", 1), known), b.reduce("min", known, (1,))
    return b.map(e.where(e.arg(1) < FARTHEST, e.arg(0, I32), -1), place, least)


def share(b: Builder, right: Expr, counts: Expr, *values: Value) -> Value:
    """A scalar: in how many of the rows that count something is right; 0 where none counts.

    Args:
        right, counts: conditions on elements of the values (N, 1).
    """
    correct, counted = (
        b.sum(b.map(e.where(which, 1.0, 0.0), *values), (0, 1))
        for which in (counts & right, counts)
    )
    part = e.where(e.equal(e.arg(1), 0.0), 0.0, e.arg(0) / e.arg(1))
    return b.reshape(b.map(part, correct, counted), ())

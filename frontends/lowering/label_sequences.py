"""Sequences of labels in rows of one length, filled up with a label that counts for nothing."""

from __future__ import annotations

import math

from ir import expr as e
from ir.build import Builder
from ir.graph import Value

from .context import LayerContext


def label_rows(ctx: LayerContext, streams: int) -> Value:
    """Bottom 1 as [N, L]: a row for each of ``streams`` sequences."""
    labels, name = ctx.bottoms[1], ctx.layer.bottom[1]
    ctx.check(
        labels.type.rank >= 2
        and labels.shape[0] == streams
        and math.prod(labels.shape[1:]) == labels.shape[1],
        f"the labels '{name}' have shape {list(labels.shape)}; [{streams}, length] is expected: "
        f"a row for each sequence of '{ctx.layer.bottom[0]}' {list(ctx.x.shape)}",
        "bottom",
        index=1,
    )
    length = int(labels.shape[1])
    ctx.check(
        length > 0,
        f"the labels '{name}' {list(labels.shape)} have no columns",
        "bottom",
        index=1,
    )
    return ctx.b.reshape(labels, (streams, length))


def places(b: Builder, kept: Value) -> Value:
    """How many elements before this one of its row are kept: [N, L] of 0 and 1 -> [N, L]."""
    streams, length = kept.shape
    before = b.map(
        e.where(e.index(1) < e.index(2), e.arg(0), 0.0),
        b.reshape(kept, (streams, length, 1)),
        shape=(streams, length, length),
    )
    return b.reshape(b.sum(before, (1,)), (streams, length))

"""ContrastiveLoss."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

_LABELS = (2, 3)

DISTANCE_GUARD = 1e-4
"""What Caffe adds to a distance before dividing by it in the gradient."""


@layer(
    "ContrastiveLoss",
    param="contrastive_loss_param",
    bottoms=3,
    tops=(1, 2),
    loss=True,
    no_gradient_to=(2,),
    fork_fields=("output_matches",),
)
def lower_contrastive_loss(ctx: LayerContext) -> Sequence[Value]:
    """Half the mean over pairs of d^2 (similar) or max(margin - d, 0)^2 (dissimilar).

    d is the distance of the rows of the first two bottoms; the third says 1 for similar pairs.
    ``legacy_version`` takes max(margin - d^2, 0) for dissimilar ones.
    Caffe: src/caffe/layers/contrastive_loss_layer.cpp.

    MyCaffe's layer also takes labels, 2 or 3 in each row, which are equal in similar pairs, and
    makes a second top (N, 1, 1, 1) with ``output_matches``: 1 where a pair lies on the side of the
    margin where it should, else 0 (MyCaffe: MyCaffe/layers/ContrastiveLossLayer.cs).
    """
    b, p = ctx.b, ctx.param
    first, second = ctx.bottoms[:2]
    check_equal_batches(ctx)
    names = ctx.layer.bottom
    for name, blob in zip(names[:2], ctx.bottoms[:2], strict=True):
        ctx.check(
            math.prod(blob.shape[2:]) == 1,
            f"'{name}' has shape {list(blob.shape)}; a row per sample is expected",
            "bottom",
            "put a Flatten layer before it",
        )
    ctx.check(
        first.type.size == second.type.size,
        f"'{names[0]}' has shape {list(first.shape)} and '{names[1]}' {list(second.shape)}",
        "bottom",
        "both must have the same shape",
    )
    batch = first.shape[0]
    ctx.check(
        ctx.top_count == 1 or p.output_matches,
        f"'{ctx.tops[-1]}' is a second top, which takes output_matches: true",
        "top",
        "MyCaffe's layer then says which pairs match",
        1,
    )
    flags = _similar(ctx, batch)
    width = first.type.size // batch if batch else 1
    difference = e.arg(0) - e.arg(1)
    rows = [b.reshape(v, (batch, width)) for v in (first, second)]
    squared = b.sum(b.map(difference * difference, *rows), (1,))
    distance2, flag = e.arg(0), e.arg(1)
    if p.legacy_version:
        apart = e.maximum(p.margin - distance2, 0.0)
    else:
        distance = e.sqrt(distance2)
        missing = e.maximum(p.margin - distance, 0.0)
        slope = e.stop(-(missing / (distance + DISTANCE_GUARD)))
        apart = e.grad_as(missing * missing, slope * distance2)
    alike = e.not_equal(e.to_int(flag), 0)
    loss = mean_over_batch(ctx, b.map(e.where(alike, distance2, apart), squared, flags), 0.5)
    if ctx.top_count == 1:
        return [loss]
    near = p.margin - (distance2 if p.legacy_version else e.sqrt(distance2)) >= 0.0
    match = e.where(alike, e.where(near, 1.0, 0.0), e.where(near, 0.0, 1.0))
    return [loss, b.reshape(b.map(e.stop(match), squared, flags), (batch, 1, 1, 1))]


def _similar(ctx: LayerContext, batch: int) -> Value:
    """(N, 1): whether each pair is similar, as the third bottom says it."""
    b, similar, name = ctx.b, ctx.bottoms[2], ctx.layer.bottom[2]
    if similar.type.size == batch:
        return b.reshape(similar, (batch, 1))
    each = next((k for k in _LABELS if similar.type.size == k * batch), 0)
    ctx.check(
        each > 0 and similar.shape[0] == batch,
        f"'{name}' {list(similar.shape)} holds {similar.type.size} labels for {batch} pairs",
        "bottom",
        "one label per pair, 1 for similar ones; or a row of 2 or 3, equal in similar ones",
        index=2,
    )
    rows = b.reshape(similar, (batch, each))
    first = b.slice(rows, 1, 0, 1)
    same = b.map(e.where(e.equal(e.arg(0), e.arg(1)), 1.0, 0.0), rows, first)
    return b.reduce("min", same, (1,))

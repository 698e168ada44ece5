"""ContrastiveLoss."""

from __future__ import annotations

import math

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

DISTANCE_GUARD = 1e-4
"""What Caffe adds to a distance before dividing by it in the gradient."""


@layer(
    "ContrastiveLoss",
    param="contrastive_loss_param",
    bottoms=3,
    loss=True,
    no_gradient_to=(2,),
)
def lower_contrastive_loss(ctx: LayerContext) -> Value:
    """Half the mean over pairs of d^2 (similar) or max(margin - d, 0)^2 (dissimilar).

    d is the distance of the rows of the first two bottoms; the third says 1 for similar pairs.
    ``legacy_version`` takes max(margin - d^2, 0) for dissimilar ones.
    Caffe: src/caffe/layers/contrastive_loss_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    first, second, similar = ctx.bottoms
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
        similar.type.size == batch,
        f"'{names[2]}' {list(similar.shape)} holds {similar.type.size} labels for {batch} pairs",
        "bottom",
    )
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
    term = e.where(e.not_equal(e.to_int(flag), 0), distance2, apart)
    return mean_over_batch(ctx, b.map(term, squared, b.reshape(similar, (batch, 1))), 0.5)

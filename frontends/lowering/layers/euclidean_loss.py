"""EuclideanLoss."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer


@layer("EuclideanLoss", bottoms=2, loss=True)
def lower_euclidean_loss(ctx: LayerContext) -> Value:
    """Half the mean squared distance of two blobs; both get a gradient.

    Caffe: src/caffe/layers/euclidean_loss_layer.cpp.
    """
    first, second = ctx.bottoms
    check_equal_batches(ctx)
    ctx.check(
        first.type.size == second.type.size,
        f"'{ctx.layer.bottom[0]}' has shape {list(first.shape)} and '{ctx.layer.bottom[1]}' "
        f"{list(second.shape)}: they differ in the number of elements",
        "bottom",
        "both must have the same shape",
        index=1,
    )
    difference = e.arg(0) - e.arg(1)
    second = ctx.b.reshape(second, first.shape)
    return mean_over_batch(ctx, ctx.b.map(difference * difference, first, second), 0.5)

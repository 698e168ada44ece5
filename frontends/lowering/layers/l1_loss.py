"""L1Loss (DetectNet)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer


@layer(
    "L1Loss",
    bottoms=2,
    loss=True,
    fork="NVCaffe",
    note="is NVCaffe's, without FlowNet 2's l1_loss_param",
)
def lower_l1_loss(ctx: LayerContext) -> Value:
    """The sum of absolute differences of two blobs, over the batch size; both get a gradient.

    NVIDIA/caffe: src/caffe/layers/l1_loss_layer.cpp.
    """
    first, second = ctx.bottoms
    ctx.check(
        not ctx.layer.has("l1_loss_param"),
        "l1_loss_param is of the L1Loss of another fork (FlowNet 2)",
        "l1_loss_param",
        "without it the loss is the sum of absolute differences, over the batch size",
    )
    check_equal_batches(ctx)
    ctx.check(
        first.type.size == second.type.size,
        f"'{ctx.layer.bottom[0]}' has shape {list(first.shape)} and '{ctx.layer.bottom[1]}' "
        f"{list(second.shape)}: they differ in the number of elements",
        "bottom",
        "both must have the same shape",
        index=1,
    )
    second = ctx.b.reshape(second, first.shape)
    distance = e.absolute(e.arg(0) - e.arg(1))
    return mean_over_batch(ctx, ctx.b.map(distance, first, second))

"""SigmoidCrossEntropyLoss."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, loss_positions
from ..registry import layer


@layer(
    "SigmoidCrossEntropyLoss",
    param="loss_param",
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    probabilities="Sigmoid",
)
def lower_sigmoid_cross_entropy_loss(ctx: LayerContext) -> Value:
    """Sum of -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), in a form that cannot overflow.

    Divided by the batch size unless loss_param says otherwise.
    Caffe: src/caffe/layers/sigmoid_cross_entropy_loss_layer.cpp.
    """
    b, x, target = ctx.b, ctx.x, ctx.bottoms[1]
    check_equal_batches(ctx)
    ctx.check(
        x.type.size == target.type.size,
        f"'{ctx.layer.bottom[0]}' {list(x.shape)} has {x.type.size} elements, "
        f"'{ctx.layer.bottom[1]}' {list(target.shape)} has {target.type.size}",
        "bottom",
        "there is one target per score",
        index=1,
    )
    targets = b.reshape(target, x.shape)
    where = loss_positions(ctx.param, x.shape[0], x.type.size, default="BATCH_SIZE")
    score, truth = e.arg(0), e.arg(1)
    softplus = e.unary("log1p", e.exp(-e.absolute(score)))
    value = e.maximum(score, 0.0) - score * truth + softplus
    # The stable form has a kink at 0 that the function itself has not.
    slope = e.stop(e.sigmoid(score) - truth)
    terms = b.map(where.keep(truth, e.grad_as(value, slope * score)), x, targets)
    return where.normalized(ctx, terms, targets)

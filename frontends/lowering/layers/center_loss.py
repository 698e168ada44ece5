"""CenterLoss (face recognition)."""

from __future__ import annotations

import math

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.gather import Gather
from ir.types import F32

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

MESSAGE = declare_message(
    "CenterLossParameter",
    optional("uint32", "num_output"),
    optional("FillerParameter", "center_filler"),
    optional("int32", "axis", default=1),
)


@layer(
    "CenterLoss",
    param="center_loss_param",
    message=MESSAGE,
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    fork="caffe-face",
)
def lower_center_loss(ctx: LayerContext) -> Value:
    """Half the mean squared distance of every row to the center of its class.

    The centers (num_output, K) are a blob with a rule of its own: each moves towards the rows of
    its class by the sum of their differences over their number plus 1, whatever the loss_weight.
    ydwen/caffe-face: src/caffe/layers/center_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    check_equal_batches(ctx)
    axis, labels = ctx.axis(p.axis), ctx.bottoms[1]
    batch, width = x.shape[0], math.prod(x.shape[axis:])
    ctx.check(p.num_output > 0, "num_output is missing or 0", "num_output", "one per class")
    ctx.check(
        batch * width == x.type.size and labels.type.size == batch,
        f"'{ctx.layer.bottom[0]}' {list(x.shape)} from axis {axis} on and "
        f"'{ctx.layer.bottom[1]}' {list(labels.shape)}: one row and one label per image are "
        "expected",
        "bottom",
    )
    ctx.takes_labels(p.num_output)
    centers = ctx.parameter((p.num_output, width), p.center_filler)
    numbers = b.map(e.to_int(e.arg(0)), b.reshape(labels, (batch,)))
    mine = b.emit(Gather(), centers, numbers)
    same = e.where(e.equal(e.to_int(e.arg(0)), e.to_int(e.arg(1))), 1.0, 0.0)
    column, row = b.reshape(labels, (batch, 1)), b.reshape(labels, (1, batch))
    peers = b.sum(b.map(same, column, row), (1,))
    # mean_over_batch divides by the batch and backward multiplies by the loss weight.
    given = list(ctx.layer.loss_weight)
    weight = given[0] if given and given[0] != 0.0 else 1.0
    value, center = e.arg(0), e.arg(1)
    difference = value - center
    pull = -difference * (e.dyn(batch, F32) / weight) / (e.arg(2) + 1.0)
    slope = e.stop(difference) * value + e.stop(pull) * center
    term = e.grad_as(0.5 * difference * difference, slope)
    return mean_over_batch(ctx, b.map(term, b.reshape(x, (batch, width)), mine, peers))

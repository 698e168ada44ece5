"""CenterLoss (face recognition)."""

from __future__ import annotations

import math

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.gather import Gather
from ir.ops.gradient import DiffAs
from ir.types import F32

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

MESSAGE = declare_message(
    "CenterLossParameter",
    optional("uint32", "num_output"),
    optional("FillerParameter", "center_filler"),
    optional("int32", "axis", default=1),
    optional("string", "distance_type", default="L2"),
)


@layer(
    "CenterLoss",
    param="center_loss_param",
    message=MESSAGE,
    bottoms=2,
    loss=True,
    weightless=lambda layer: True,
    no_gradient_to=(1,),
    fork="caffe-face",
    note="Without a loss_weight it counts for nothing. Its centers have a diff all the same where "
    "it runs backward: under `force_backward`.",
)
def lower_center_loss(ctx: LayerContext) -> Value:
    """Half the mean squared distance of every row to the center of its class.

    The centers (num_output, K) are a blob with a rule of its own: each moves towards the rows of
    its class by the sum of their differences over their number plus 1, whatever the loss_weight.
    ``distance_type: "L1"`` (happynear) takes the sum of absolute differences, and their signs.
    ydwen/caffe-face, happynear/caffe-windows: src/caffe/layers/center_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    check_equal_batches(ctx)
    axis, labels = ctx.axis(p.axis), ctx.bottoms[1]
    batch, width = x.shape[0], math.prod(x.shape[axis:])
    ctx.check(
        p.distance_type in ("L1", "L2"),
        f"distance_type {p.distance_type!r} is neither L1 nor L2",
        "distance_type",
    )
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
    value, center, many = e.arg(0), e.arg(1), e.arg(2)
    difference = value - center
    lengthwise = p.distance_type == "L1"
    sign = e.where(difference > 0.0, 1.0, e.where(difference < 0.0, -1.0, 0.0))
    step = sign if lengthwise else difference
    distance = e.absolute(difference) if lengthwise else 0.5 * difference * difference
    pull = -step / (many + 1.0)
    rows = b.reshape(x, (batch, width))
    weight = next(iter(ctx.layer.loss_weight), ctx.kind.own_loss_weight(ctx.layer))
    if weight == 0.0:
        own = b.map(e.stop(pull), rows, mine, peers)
        return mean_over_batch(ctx, b.map(distance, rows, b.emit(DiffAs(), mine, own)))
    # mean_over_batch divides by the batch and backward multiplies by the loss weight.
    slope = e.stop(step) * value + e.stop(pull * (e.dyn(batch, F32) / weight)) * center
    return mean_over_batch(ctx, b.map(e.grad_as(distance, slope), rows, mine, peers))

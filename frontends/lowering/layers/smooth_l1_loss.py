"""SmoothL1Loss (box regression of Fast and Faster R-CNN, SSD)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

MESSAGE = declare_message("SmoothL1LossParameter", optional("float", "sigma", default=1.0))


@layer(
    "SmoothL1Loss",
    param="smooth_l1_loss_param",
    message=MESSAGE,
    bottoms=(2, 4),
    loss=True,
    no_gradient_to=(2, 3),
    fork="Fast R-CNN, SSD",
    note="With one weight blob (SSD) the gradient is weighted too, which differs from SSD's where "
    "weights are other than 0 and 1.",
)
def lower_smooth_l1_loss(ctx: LayerContext) -> Value:
    """sum(w_out * f(w_in * (a - b))) / batch; both a and b get a gradient.

    f(d) = (sigma d)^2 / 2 where |d| < 1 / sigma^2, |d| - 1 / (2 sigma^2) elsewhere. The third and
    fourth bottoms are w_in and w_out. rbgirshick/caffe-fast-rcnn (branch faster-rcnn):
    src/caffe/layers/smooth_L1_loss_layer.cu; weiliu89/caffe has the form with three bottoms.
    """
    x = ctx.x
    check_equal_batches(ctx)
    names = ctx.layer.bottom
    for name, value in zip(names, ctx.bottoms, strict=True):
        ctx.check(
            value.type.size == x.type.size,
            f"'{names[0]}' has shape {list(x.shape)} and '{name}' {list(value.shape)}",
            "bottom",
            "all bottoms must have the same shape",
        )
    ctx.check(ctx.param.sigma > 0.0, f"sigma is {ctx.param.sigma:g}", "sigma")
    sigma2 = ctx.param.sigma**2
    difference = e.arg(0) - e.arg(1)
    if len(ctx.bottoms) > 2:
        difference = e.arg(2) * difference
    distance = e.absolute(difference)
    near = difference * difference * (0.5 * sigma2)
    term = e.where(distance < 1.0 / sigma2, near, distance - 0.5 / sigma2)
    if len(ctx.bottoms) > 3:
        term = e.arg(3) * term
    values = [ctx.b.reshape(v, x.shape) for v in ctx.bottoms]
    return mean_over_batch(ctx, ctx.b.map(term, *values))

"""SmoothL1Loss (box regression of Fast and Faster R-CNN, SSD)."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, mean_over_batch
from ..registry import layer

MESSAGE = declare_message("SmoothL1LossParameter", optional("float", "sigma", default=1.0))


def _is_fast_rcnn(layer: Message) -> bool:
    """Whether it is the layer of Fast R-CNN, which has parameters and weights; SSD's has neither
    and is set up as Caffe's losses are."""
    return len(layer.bottom) > 2 or layer.has("smooth_l1_loss_param")


@layer(
    "SmoothL1Loss",
    param="smooth_l1_loss_param",
    message=MESSAGE,
    bottoms=(2, 4),
    loss=True,
    weightless=_is_fast_rcnn,
    no_gradient_to=(2, 3),
    also=("loss_param",),
    fork="Fast R-CNN, SSD",
    note="With smooth_l1_loss_param or weights it is Fast R-CNN's, which counts for nothing "
    "without a loss_weight. Either fork refuses three bottoms.",
)
def lower_smooth_l1_loss(ctx: LayerContext) -> Value:
    """sum(w_out * f(w_in * (a - b))) / batch; both a and b get a gradient.

    f(d) = (sigma d)^2 / 2 where |d| < 1 / sigma^2, |d| - 1 / (2 sigma^2) elsewhere. The third and
    fourth bottoms are w_in and w_out. loss_param's normalization NONE divides by nothing.
    rbgirshick/caffe-fast-rcnn (branch faster-rcnn): src/caffe/layers/smooth_L1_loss_layer.cu;
    intel/caffe: smooth_L1_loss_layer.cpp; weiliu89/caffe (branch ssd) has the form without
    weights: its code for one blob of them is refused by LossLayer, which takes two bottoms.
    """
    x = ctx.x
    check_equal_batches(ctx)
    names = ctx.layer.bottom
    ctx.check(
        len(names) != 3,
        "SmoothL1Loss takes 2 or 4 bottoms, 3 are given",
        "bottom",
        "give weights for the differences and for the losses, or no weights",
        2,
    )
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
    weighted = len(ctx.bottoms) == 4
    if weighted:
        difference = e.arg(2) * difference
    distance = e.absolute(difference)
    near = difference * difference * (0.5 * sigma2)
    term = e.where(distance < 1.0 / sigma2, near, distance - 0.5 / sigma2)
    if weighted:
        term = e.arg(3) * term
    values = [ctx.b.reshape(v, x.shape) for v in ctx.bottoms]
    terms = ctx.b.map(term, *values)
    if ctx.layer.loss_param.normalization == "NONE":  # as intel/caffe has it
        return ctx.b.reshape(ctx.b.sum(terms, range(terms.type.rank)), ())
    return mean_over_batch(ctx, terms)

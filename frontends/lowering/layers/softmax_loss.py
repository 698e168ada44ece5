"""SoftmaxWithLoss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ir import expr as e
from ir.errors import RoasteryError
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import (
    SMALLEST,
    check_equal_batches,
    hits,
    in_range,
    labels_along,
    loss_positions,
    softmax_pieces,
)
from ..registry import layer


@layer(
    "SoftmaxWithLoss",
    param="loss_param",
    bottoms=2,
    tops=(1, 2),
    loss=True,
    no_gradient_to=(1,),
    also=("softmax_param",),
    inner_softmax=True,
    note="A second top (the probabilities) needs no loss_weight.",
)
def lower_softmax_loss(ctx: LayerContext) -> Sequence[Value]:
    """Mean of -log(probability of the label), which ends at -log(FLT_MIN) = 87.3365.

    Second top: the probabilities; as in Caffe no gradient flows back through them. A label that
    names no class counts as probability 0. Caffe: src/caffe/layers/softmax_loss_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    axis = softmax_axis(ctx)
    check_equal_batches(ctx)
    labels = labels_along(ctx, axis, ctx.param.get("ignore_label"))
    where = loss_positions(ctx.param, math.prod(x.shape[:axis]), labels.type.size)
    s = softmax_pieces(ctx, x, axis)
    shifted = e.arg(0) - e.stop(e.arg(1))
    picked = b.sum(b.map(e.where(hits(e.arg(2), axis), shifted, 0.0), x, s.top, labels), (axis,))
    logit, total, label = e.arg(0), e.arg(1), e.arg(2)
    probability = e.where(in_range(label, x.shape[axis]), e.exp(logit) / total, 0.0)
    # The value saturates, the gradient stays probability - 1: that of the unclamped loss.
    term = e.grad_as(0.0 - e.log(e.maximum(probability, SMALLEST)), e.log(total) - logit)
    terms = b.map(where.keep(label, term), picked, s.total, labels)
    loss = where.normalized(ctx, terms, labels)
    if ctx.top_count < 2:
        return [loss]
    return [loss, s.probabilities(ctx, flows=False)]


def softmax_axis(ctx: LayerContext) -> int:
    """softmax_param.axis, counted from the front."""
    softmax = ctx.layer.softmax_param
    try:
        return ctx.axis(softmax.axis)
    except RoasteryError as error:
        place = replace(softmax.location_of("axis"), layer=ctx.name)
        raise RoasteryError(error.message, location=place, hint=error.hint) from None

"""SoftmaxWithLoss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ir import expr as e
from ir.errors import RoasteryError
from ir.expr import Expr
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import (
    SMALLEST,
    Positions,
    Softmax,
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
    probabilities="Softmax",
    fork_fields=("weight_by_label_freqs", "class_weighting"),
    note="A second top (the probabilities) needs no loss_weight.",
)
def lower_softmax_loss(ctx: LayerContext) -> Sequence[Value]:
    """Mean of -log(probability of the label), which ends at -log(FLT_MIN) = 87.3365.

    Second top: the probabilities; as in Caffe no gradient flows back through them. A label that
    names no class counts as probability 0. With ``weight_by_label_freqs`` (SegNet) the loss of a
    position is multiplied with the number of ``class_weighting`` that is its label's; what the sum
    is divided by stays. Caffe, alexgkendall/caffe-segnet: src/caffe/layers/softmax_loss_layer.cpp.
    """
    axis = softmax_axis(ctx)
    s, terms, labels, where = losses_of_labels(ctx, axis)
    loss = where.normalized(ctx, terms, labels)
    if ctx.top_count < 2:
        return [loss]
    return [loss, s.probabilities(ctx, flows=False)]


def losses_of_labels(ctx: LayerContext, axis: int) -> tuple[Softmax, Value, Value, Positions]:
    """The softmax, the loss of every position, its label, and how these are added up."""
    b, x = ctx.b, ctx.x
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
    if ctx.param.get("weight_by_label_freqs", False):
        term = term * class_weight(ctx, e.to_int(label), x.shape[axis])
    return s, b.map(where.keep(label, term), picked, s.total, labels), labels, where


def class_weight(ctx: LayerContext, label: Expr, classes: int) -> Expr:
    """The number of ``class_weighting`` that is a label's; halves are chosen from, so that an
    element takes few comparisons."""
    given: list[float] = ctx.param.class_weighting
    ctx.check(
        len(given) == classes,
        f"{len(given)} class_weighting for {classes} classes",
        "class_weighting" if given else "weight_by_label_freqs",
        "give one number for each class",
    )

    def chosen(low: int, high: int) -> Expr:
        if len(set(given[low:high])) == 1:
            return e.const(given[low])
        middle = (low + high) // 2
        return e.where(label < middle, chosen(low, middle), chosen(middle, high))

    return chosen(0, len(given))


def softmax_axis(ctx: LayerContext) -> int:
    """softmax_param.axis, counted from the front."""
    softmax = ctx.layer.softmax_param
    try:
        return ctx.axis(softmax.axis)
    except RoasteryError as error:
        place = replace(softmax.location_of("axis"), layer=ctx.name)
        raise RoasteryError(error.message, location=place, hint=error.hint) from None

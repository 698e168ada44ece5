"""MultinomialLogisticLoss."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import LOG_THRESHOLD, class_rows, hits, in_range, mean_over_batch
from ..registry import layer


@layer("MultinomialLogisticLoss", bottoms=2, loss=True, no_gradient_to=(1,))
def lower_multinomial_logistic_loss(ctx: LayerContext) -> Value:
    """Mean of -log(x[label]) where x are probabilities, clamped below at 1e-20.

    Caffe: src/caffe/layers/multinomial_logistic_loss_layer.cpp.
    """
    b = ctx.b
    rows, labels = class_rows(ctx)
    label = e.arg(1)
    picked = b.sum(b.map(e.where(hits(label, 1), e.arg(0), 0.0), rows, labels), (1,))
    clamped = e.maximum(e.where(in_range(label, rows.shape[1]), e.arg(0), 0.0), LOG_THRESHOLD)
    # Below the threshold Caffe keeps a slope of -1 / threshold.
    slope = e.stop(-1.0 / clamped)
    terms = b.map(e.grad_as(0.0 - e.log(clamped), slope * e.arg(0)), picked, labels)
    return mean_over_batch(ctx, terms)

"""HingeLoss."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import class_rows, hits, mean_over_batch
from ..registry import layer


@layer("HingeLoss", param="hinge_loss_param", bottoms=2, loss=True, no_gradient_to=(1,))
def lower_hinge_loss(ctx: LayerContext) -> Value:
    """One-vs-all: max(0, 1 - x) for the label, max(0, 1 + x) for the others, or their squares.

    Summed over classes, mean over the batch. Caffe: src/caffe/layers/hinge_loss_layer.cpp.
    """
    rows, labels = class_rows(ctx)
    score = e.arg(0)
    margin = e.maximum(e.where(hits(e.arg(1), 1), -score, score) + 1.0, 0.0)
    term = margin if ctx.param.norm == "L1" else margin * margin
    return mean_over_batch(ctx, ctx.b.map(term, rows, labels))

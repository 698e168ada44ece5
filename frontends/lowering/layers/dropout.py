"""Dropout."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Dropout", param="dropout_param", in_place=True)
def lower_dropout(ctx: LayerContext) -> Value:
    """Zero a random share of the elements and scale up the rest; nothing in phase TEST.

    Caffe: src/caffe/layers/dropout_layer.cpp (its random numbers differ).
    """
    ratio, x = ctx.param.dropout_ratio, ctx.x
    ctx.check(
        0.0 <= ratio < 1.0,
        f"dropout_ratio {ratio:g} is not a share of the elements",
        "dropout_ratio",
        "give the probability of dropping an element: 0 or more, less than 1",
    )
    if not ctx.train or ratio == 0.0:
        return x
    u, random = ctx.uniform(1, x.type.rank)
    kept = e.arg(0) * (1.0 / (1.0 - ratio))
    return ctx.b.map(e.where(u >= ratio, kept, 0.0), x, *random)

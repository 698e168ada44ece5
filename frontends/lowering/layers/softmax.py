"""Softmax."""

from __future__ import annotations

from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import softmax_pieces
from ..registry import layer


@layer("Softmax", param="softmax_param", in_place=True)
def lower_softmax(ctx: LayerContext) -> Value:
    """exp(x - max) over its sum along ``axis``. Caffe: src/caffe/layers/softmax_layer.cpp."""
    return softmax_pieces(ctx, ctx.x, ctx.axis(ctx.param.axis)).probabilities(ctx)

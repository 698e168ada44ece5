"""Layers that are one scalar expression."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("ReLU", param="relu_param", in_place=True)
def lower_relu(ctx: LayerContext) -> Value:
    """max(x, 0) + negative_slope * min(x, 0). Caffe: src/caffe/layers/relu_layer.cpp."""
    x, slope = e.arg(0), ctx.param.negative_slope
    if slope == 0.0:
        return ctx.b.map(e.maximum(x, 0.0), ctx.x)
    return ctx.b.map(e.where(x > 0.0, x, x * slope), ctx.x)

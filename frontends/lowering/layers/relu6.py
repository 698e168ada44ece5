"""ReLU6 (mobile nets)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("ReLU6", param="relu_param", in_place=True, fork="mobile nets", coordinates="kept")
def lower_relu6(ctx: LayerContext) -> Value:
    """x limited to [0, 6], with slope 0 at both ends; negative_slope as in ReLU."""
    x, slope = e.arg(0), ctx.param.negative_slope
    below = x * slope if slope else e.const(0.0)
    return ctx.b.map(e.where(x > 0.0, e.minimum(x, 6.0), below), ctx.x)

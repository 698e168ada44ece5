"""ReLU6 (mobile nets)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "ReLU6",
    param="relu_param",
    in_place=True,
    also=("relu6_param",),
    fork="mobile nets",
    coordinates="kept",
)
def lower_relu6(ctx: LayerContext) -> Value:
    """x limited to [0, 6], with slope 0 at both ends; negative_slope as in ReLU.

    Forks read the slope from relu6_param or from relu_param. eric612/MobileNet-YOLO:
    src/caffe/layers/relu6_layer.cpp.
    """
    layer, x = ctx.layer, e.arg(0)
    ctx.check(
        not (layer.has("relu6_param") and layer.has("relu_param")),
        "both relu_param and relu6_param are given",
        "relu6_param",
        "give one of the two",
    )
    slope = (layer.relu6_param if layer.has("relu6_param") else ctx.param).negative_slope
    below = x * slope if slope else e.const(0.0)
    limited = e.where(x > 0.0, e.minimum(x, 6.0), below)
    # A negative slope may lead above 6, too.
    return ctx.b.map(e.minimum(limited, 6.0) if slope < 0.0 else limited, ctx.x)

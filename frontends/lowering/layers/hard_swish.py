"""HardSwish (MobileNet v3; Synopsys' Caffe)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("HardSwish", in_place=True, fork="Synopsys", coordinates="kept")
def lower_hard_swish(ctx: LayerContext) -> Value:
    """x * min(max(x + 3, 0), 6) / 6. synopsys-caffe: src/caffe/layers/hard_swish_layer.cpp."""
    x = e.arg(0)
    return ctx.b.map(x * e.minimum(e.maximum(x + 3.0, 0.0), 6.0) * (1.0 / 6.0), ctx.x)

"""Axpy (squeeze-and-excitation nets)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Axpy", bottoms=3, fork="SENet")
def lower_axpy(ctx: LayerContext) -> Value:
    """a * x + y, with one a per image and channel. SENet: src/caffe/layers/axpy_layer.cpp."""
    a, x, y = ctx.bottoms
    ctx.check(
        x.shape == y.shape,
        f"bottom 1 has shape {list(x.shape)}, bottom 2 has {list(y.shape)}",
        "bottom",
        index=2,
    )
    rank = x.type.rank
    lead = x.shape[:2]
    ctx.check(
        rank >= 2 and a.shape[:2] == lead and a.type.size == lead[0] * lead[1],
        f"bottom 0 has shape {list(a.shape)}; one number per image and channel of "
        f"{list(x.shape)} is expected",
        "bottom",
    )
    factor = ctx.b.reshape(a, (*lead, *(1,) * (rank - 2)))
    return ctx.b.map(e.arg(0) * e.arg(1) + e.arg(2), factor, x, y)

"""Flip (happynear's Caffe): images upside down or mirrored."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Flip", param="flip_param", fork="happynear")
def lower_flip(ctx: LayerContext) -> Value:
    """Rows (``flip_height``) and columns (``flip_width``) of (N, C, H, W) in reverse order.

    happynear/caffe-windows: src/caffe/layers/flip_layer.cpp.
    """
    p, x = ctx.param, ctx.x
    ctx.check(x.type.rank == 4, f"4 axes are needed, the bottom has {list(x.shape)}", "bottom")
    for axis, wanted in ((2, p.flip_height), (3, p.flip_width)):
        if wanted:
            x = _reversed(ctx, x, axis)
    return x


def _reversed(ctx: LayerContext, x: Value, axis: int) -> Value:
    """An axis in reverse: times a matrix of ones on its second diagonal."""
    b, extent = ctx.b, x.shape[axis]
    order = [*(a for a in range(4) if a != axis), axis]
    last = b.transpose(x, order)
    here = e.equal(e.index(0), e.dyn(extent - 1) - e.index(1))
    matrix = b.map(e.where(here, 1.0, 0.0), shape=(extent, extent))
    rows = b.reshape(last, (last.type.size // extent, extent))
    turned = b.reshape(b.matmul(rows, matrix), last.shape)
    return b.transpose(turned, [order.index(a) for a in range(4)])

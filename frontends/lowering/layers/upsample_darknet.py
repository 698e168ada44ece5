"""UpsampleDarknet: nearest neighbours, by a whole number (Synopsys' Caffe)."""

from __future__ import annotations

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("UpsampleDarknet", param="upsample_darknet_param", fork="Synopsys")
def lower_upsample_darknet(ctx: LayerContext) -> Value:
    """Every pixel of (N, C, H, W) becomes a square of stride x stride.

    synopsys-caffe: src/caffe/layers/upsample_darknet_layer.cpp.
    """
    b, x, s = ctx.b, ctx.x, ctx.param.stride
    ctx.check(s > 0, f"stride is {s}", "stride", "1 or more")
    ctx.check(x.type.rank == 4, f"4 axes are needed, the bottom has {list(x.shape)}", "bottom")
    n, c, h, w = x.shape
    squares = b.broadcast(b.reshape(x, (n, c, h, 1, w, 1)), (n, c, h, s, w, s))
    return b.reshape(squares, (n, c, h * s, w * s))

"""ChannelScale (happynear's Caffe): every channel times one map of numbers."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("ChannelScale", param="channel_scale_param", bottoms=2, tops=1, fork="happynear")
def lower_channel_scale(ctx: LayerContext) -> Value:
    """(N, C, H, W) times (N, 1, H, W); each of the three parts may be switched off.

    happynear/caffe-windows: src/caffe/layers/channel_scale_layer.cpp.
    """
    p, b, (x, scale) = ctx.param, ctx.b, ctx.bottoms
    ctx.check(not p.global_scale, "a scale that follows the data is not known here", "global_scale")
    ctx.check(x.type.rank >= 2, f"2 axes or more are needed, not {list(x.shape)}", "bottom")
    channels = x.shape[1]
    ctx.check(
        scale.type.size * channels == x.type.size,
        f"{list(scale.shape)} is not one channel of {list(x.shape)}",
        "bottom",
        index=1,
    )
    small = b.reshape(scale, (x.shape[0], 1, *x.shape[2:]))
    a, s = e.arg(0), e.arg(1)
    value = a * s if p.do_forward else a
    slope = a * e.stop(s) if p.do_backward_feature else a
    if p.do_backward_scale:
        slope = slope + e.stop(a) * s
    return b.map(e.grad_as(value, slope), x, small)

"""Local: a convolution whose weights differ from place to place."""

from __future__ import annotations

from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer
from ..window_taps import window_taps

MESSAGE = declare_message(
    "LocalParameter",
    optional("uint32", "num_output"),
    optional("bool", "bias_term", default=True),
    optional("uint32", "pad", default=0),
    optional("uint32", "kernel_size"),
    optional("uint32", "stride", default=1),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
)


@layer(
    "Local",
    param="local_param",
    message=MESSAGE,
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    fork="caffe-windows",
    coordinates="windows",
)
def lower_local(ctx: LayerContext) -> Sequence[Value]:
    """Correlation with weights of their own at every place, locally connected.

    Weights (outputs, 1, C * k * k, places), bias (1, 1, outputs, places). All bottoms share them.
    happynear/caffe-windows: src/caffe/layers/local_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    ctx.check(x.type.rank == 4, f"Local takes 4 axes, the bottom has {list(x.shape)}", "bottom")
    ctx.check_bottoms_alike()
    outputs, k, stride, pad = p.num_output, p.kernel_size, p.stride, p.pad
    for field in ("num_output", "kernel_size", "stride"):
        ctx.check(p[field] > 0, f"{field} is missing or 0", field)
    channels, *extents = map(int, x.shape[1:])  # the weights follow from them
    ctx.check(
        min(extents) >= k,
        f"kernel_size {k} is larger than the image of {extents[0]}x{extents[1]}",
        "kernel_size",
    )
    high, wide = ((d + 2 * pad - k) // stride + 1 for d in extents)
    taps, places = channels * k * k, high * wide
    weights = ctx.parameter((outputs, 1, taps, places), p.weight_filler)
    bias = ctx.parameter((1, 1, outputs, places), p.bias_filler) if p.bias_term else None
    # Per place: (batch, taps) times (taps, outputs).
    by_place = b.transpose(b.reshape(weights, (outputs, taps, places)), (2, 1, 0))
    tops = []
    for bottom in ctx.bottoms:
        batch = bottom.shape[0]
        around = (0, 0, pad, pad)
        planes = window_taps(
            b, b.pad(bottom, around, around), (k, k), (stride, stride), (1, 1), (high, wide)
        )
        stacked = b.concat([b.reshape(v, (batch, channels, 1, places)) for v in planes], 2)
        columns = b.transpose(b.reshape(stacked, (batch, taps, places)), (2, 0, 1))
        y = b.transpose(b.matmul(columns, by_place), (1, 2, 0))
        if bias is not None:
            y = b.map(e.arg(0) + e.arg(1), y, b.reshape(bias, (1, outputs, places)))
        tops.append(b.reshape(y, (batch, outputs, high, wide)))
    return tops

"""Local response normalization."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value
from ir.ops.window import WindowSum

from ..context import LayerContext
from ..registry import layer


@layer(
    "LRN",
    param="lrn_param",
    in_place=True,
    note="In place, the gradient is the true one (Caffe's reads the overwritten input).",
    coordinates="kept",
)
def lower_lrn(ctx: LayerContext) -> Value:
    """Divide by a power of the squares nearby: over channels, or over a square of pixels.

    Within a channel ``k`` is 1 whatever is given, and the squares are averaged over all n * n
    places of the window, those beyond the border included.
    Caffe: src/caffe/layers/lrn_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    n = p.local_size
    ctx.check(x.type.rank == 4, f"LRN takes 4 axes, the bottom has shape {list(x.shape)}", "bottom")
    ctx.check(n % 2 == 1, f"local_size {n} is even", "local_size", "it must be odd")
    if p.norm_region == "ACROSS_CHANNELS":
        reach = min(n // 2, x.shape[1])  # farther away there is nothing
        window, around = (1, 2 * reach + 1, 1, 1), (0, reach, 0, 0)
        k, weight = p.k, p.alpha / n
    else:
        reach = n // 2
        if all(d < reach for d in x.shape[2:]):
            reach = max(map(int, x.shape[2:]))
        window, around = (1, 1, 2 * reach + 1, 2 * reach + 1), (0, 0, reach, reach)
        k, weight = 1.0, p.alpha / (n * n)
    squares = b.map(e.arg(0) * e.arg(0), x)
    nearby = b.emit(WindowSum(window, (1, 1, 1, 1), around, around), squares)
    scale = e.arg(1) * weight + k
    return b.map(e.arg(0) * e.power(scale, e.const(-p.beta)), x, nearby)

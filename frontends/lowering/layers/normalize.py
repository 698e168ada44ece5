"""Normalize (SSD)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.build import expand
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "Normalize",
    param="norm_param",
    message=declare_message(
        "NormalizeParameter",
        optional("bool", "across_spatial", default=True),
        optional("FillerParameter", "scale_filler"),
        optional("bool", "channel_shared", default=True),
        optional("float", "eps", default=1e-10),
    ),
    in_place=True,
    fork="SSD",
    coordinates="kept",
)
def lower_normalize(ctx: LayerContext) -> Value:
    """Divide by the L2 norm over channels (and pixels), multiply by a learned scale.

    SSD: src/caffe/layers/normalize_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    rank = x.type.rank
    ctx.check(rank >= 2, f"Normalize takes 2 or more axes, the bottom has {rank}", "bottom")
    ctx.check(
        not ctx.layer.has("normalize_param"),
        "this is another fork's Normalize layer, which is not supported",
        "normalize_param",
        "SSD's Normalize takes norm_param",
    )
    shape = () if p.channel_shared else (x.shape[1],)
    scale = ctx.parameter(shape, p.scale_filler if p.has("scale_filler") else 1.0)
    small = expand(b, scale, rank, 0 if p.channel_shared else 1)
    axes = range(1, rank) if p.across_spatial else (1,)
    squares = b.sum(b.map(e.arg(0) * e.arg(0), x), axes)
    norm = b.map(e.sqrt(e.arg(0) + e.const(p.eps)), squares)
    return b.map(e.arg(0) / e.arg(1) * e.arg(2), x, norm, small)

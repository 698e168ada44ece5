"""Reorg (YOLOv2): pixels to channels."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.build import Builder
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "ReorgParameter",
    optional("uint32", "stride"),
    optional("bool", "reverse", default=False),
)


@layer("Reorg", param="reorg_param", message=MESSAGE, fork="YOLOv2")
def lower_reorg(ctx: LayerContext) -> Value:
    """Darknet's reorg: (N, C, H, W) becomes (N, C * s * s, H / s, W / s).

    Darknet takes the memory of the bottom for (C / s / s, H * s, W * s), of which it puts each
    s x s pixels one behind the other, and takes what comes out for the shape above. ``reverse``
    is the other way round, between the shapes that are meant: (N, C, H, W) becomes
    (N, C / s / s, H * s, W * s). intel/caffe, eric612/MobileNet-YOLO:
    include/caffe/layers/reorg_layer.hpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    ctx.check(x.type.rank == 4, f"Reorg takes 4 axes, the bottom has {list(x.shape)}", "bottom")
    s = p.stride
    ctx.check(p.has("stride") and s > 0, "stride is missing or 0", "stride")
    n, c, h, w = x.shape
    ctx.check(
        c % (s * s) == 0,
        f"{c} channels do not divide into {s} x {s} pixels",
        "stride",
        "the number of channels must be a multiple of stride * stride",
    )
    fewer = c // (s * s)
    if p.reverse:
        parts = b.reshape(x, (n, s, s, fewer, h, w))
        apart = b.transpose(parts, (0, 3, 4, 1, 5, 2))
        return b.reshape(apart, (n, fewer, h * s, w * s))
    ctx.check(h % s == 0 and w % s == 0, f"an image of {h}x{w} does not divide by {s}", "stride")
    return reorganized(b, x, s)


def reorganized(b: Builder, x: Value, s: int) -> Value:
    """Of a stride that divides all that it has to."""
    n, c, h, w = x.shape
    pixels = b.reshape(x, (n, c // (s * s), h, s, w, s))
    together = b.transpose(pixels, (0, 3, 5, 1, 2, 4))
    return b.reshape(together, (n, c * s * s, h // s, w // s))

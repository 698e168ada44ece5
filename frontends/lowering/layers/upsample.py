"""Upsample: two layers of one name, SegNet's with a mask and MobileNet-YOLO's without."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value

from ..context import LayerContext
from ..put_back import places_in, put_back
from ..registry import layer

PARAMETERS = declare_message(
    "UpsampleParameter",
    optional("float", "scale", default=2.0),
    optional("uint32", "scale_h"),
    optional("uint32", "scale_w"),
    optional("bool", "pad_out_h", default=False),
    optional("bool", "pad_out_w", default=False),
    optional("uint32", "upsample_h"),
    optional("uint32", "upsample_w"),
)


@layer(
    "Upsample",
    param="upsample_param",
    message=PARAMETERS,
    bottoms=(1, 2),
    no_gradient_to=(1,),
    fork="SegNet, MobileNet-YOLO",
    note="With a mask it is SegNet's, else MobileNet-YOLO's, which repeats pixels. Where a place "
    "is in the mask twice the last element stands there, and either gets its gradient, as in the "
    "fork on a CPU; a place beyond the top is left out (the fork stops). A mask from pooling whose "
    "windows are `scale` wide and `scale` apart is the fastest.",
)
def lower_upsample(ctx: LayerContext) -> Value:
    """One bottom: every pixel ``scale`` x ``scale`` times. With a mask (N, C, H, W), as Pooling's
    second top holds it (h * W + w): every element where MAX pooling took it from, zeros elsewhere.

    alexgkendall/caffe-segnet, eric612/MobileNet-YOLO: src/caffe/layers/upsample_layer.cpp.
    """
    x = ctx.x
    ctx.check(x.type.rank == 4, f"4 axes are needed, '{ctx.layer.bottom[0]}' has {x.type.rank}")
    if len(ctx.bottoms) == 1:
        return _repeated(ctx)
    mask = ctx.bottoms[1]
    ctx.check(
        mask.shape == x.shape,
        f"the mask has shape {list(mask.shape)}, the bottom {list(x.shape)}",
        "bottom",
        hint="where pooling rounds odd sizes up, pad_out_h and pad_out_w of the Upsample below "
        "leave out the last row and column; a net without them takes pictures whose height and "
        "width its pooling divides evenly (by 8 for three times 2)",
        index=1,
    )
    return _put_back(ctx, mask)


def _scale(ctx: LayerContext) -> int:
    p = ctx.param
    scale = int(p.scale) if abs(p.scale) < 1 << 31 else 0  # no infinity, no NaN
    ctx.check(scale > 0, f"scale {p.scale:g} is not a whole number above 0", "scale")
    return scale


def _repeated(ctx: LayerContext) -> Value:
    b, x = ctx.b, ctx.x
    for field in ("scale_h", "scale_w", "pad_out_h", "pad_out_w", "upsample_h", "upsample_w"):
        ctx.check(
            not ctx.param.has(field),
            f"`{field}` is for an Upsample layer with a mask",
            field,
            "give a mask (Pooling's second top) as second bottom, or only scale",
        )
    scale = _scale(ctx)
    n, c, h, w = x.shape
    copies = b.broadcast(b.reshape(x, (n, c, h, 1, w, 1)), (n, c, h, scale, w, scale))
    return b.reshape(copies, (n, c, h * scale, w * scale))


def _extents(ctx: LayerContext, both: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the top of SegNet's layer, ``both`` times those of the bottom."""
    p, x = ctx.param, ctx.x
    for one, other in (("upsample_h", "upsample_w"), ("upsample_w", "upsample_h")):
        ctx.check(
            not p.has(one) or p.has(other), f"{one} is given without {other}", one, "give both"
        )
    if p.has("upsample_h"):
        for field in ("upsample_h", "upsample_w"):
            ctx.check(p[field] > 0, f"{field} is 0", field)
        return p.upsample_h, p.upsample_w
    h, w = (
        extent * scale - padded
        for extent, scale, padded in zip(x.shape[2:], both, (p.pad_out_h, p.pad_out_w), strict=True)
    )
    for field, scale in zip(("pad_out_h", "pad_out_w"), both, strict=True):
        ctx.check(
            not p[field] or scale == 2,
            f"{field} is for a scale of 2, here it is {scale}",
            field,
            "give upsample_h and upsample_w instead",
        )
    return h, w


def _scales(ctx: LayerContext) -> tuple[int, int]:
    """How many times the extents of the bottom those of the top are; where these are given, how
    far apart the windows may have been that were pooled."""
    p = ctx.param
    if p.has("upsample_h"):
        scale = max(1, int(p.scale)) if abs(p.scale) < 1 << 31 else 1
        return p.scale_h or scale, p.scale_w or scale
    for one, other in (("scale_h", "scale_w"), ("scale_w", "scale_h")):
        ctx.check(
            not p.has(one) or p.has(other), f"{one} is given without {other}", one, "give both"
        )
        ctx.check(not p.has(one) or p[one] > 0, f"{one} is 0", one)
    return (p.scale_h, p.scale_w) if p.has("scale_h") else (_scale(ctx),) * 2


def _put_back(ctx: LayerContext, mask: Value) -> Value:
    scales = _scales(ctx)
    extents = _extents(ctx, scales)
    return put_back(ctx.b, ctx.x, places_in(ctx.b, mask, extents), extents, scales)

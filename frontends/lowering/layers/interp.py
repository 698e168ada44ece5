"""Interp: bilinear resizing (DeepLab, PSPNet)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value

from ..context import LayerContext
from ..interpolation import interpolated
from ..registry import layer


@layer(
    "Interp",
    param="interp_param",
    message=declare_message(
        "InterpParameter",
        optional("int32", "height", default=0),
        optional("int32", "width", default=0),
        optional("int32", "zoom_factor", default=1),
        optional("int32", "shrink_factor", default=1),
        optional("int32", "pad_beg", default=0),
        optional("int32", "pad_end", default=0),
        optional("bool", "use_blob_size", default=False),
    ),
    bottoms=(1, 2),
    no_gradient_to=(1,),
    fork="DeepLab",
    fork_fields=("use_blob_size",),  # says of a second bottom what it means anyhow
)
def lower_interp(ctx: LayerContext) -> Value:
    """Resize images so that corners fall on corners; negative padding crops them first.

    The size is given, follows from factors, or is that of the second bottom.
    PSPNet: src/caffe/layers/interp_layer.cpp, src/caffe/util/interp.cpp.
    """
    p, b = ctx.param, ctx.b
    ctx.check(
        ctx.x.type.rank == 4, f"Interp takes 4 axes, the bottom has {list(ctx.x.shape)}", "bottom"
    )
    for field in ("pad_beg", "pad_end"):
        ctx.check(p[field] <= 0, f"{field} is {p[field]}", field, "only cropping (<= 0) is meant")
    before, after = (0, 0, p.pad_beg, p.pad_beg), (0, 0, p.pad_end, p.pad_end)
    cropped = [d + p.pad_beg + p.pad_end for d in ctx.x.shape[2:]]
    ctx.check(
        all(d > 0 for d in cropped), f"cropping leaves {cropped[0]}x{cropped[1]} pixels", "pad_beg"
    )
    x = b.pad(ctx.x, before, after)
    return interpolated(b, x, _size(ctx, cropped))


def _size(ctx: LayerContext, extents: list[int]) -> list[int]:
    """Height and width of the top."""
    p = ctx.param
    shrink, zoom = p.shrink_factor, p.zoom_factor
    for field in ("shrink_factor", "zoom_factor"):
        ctx.check(p[field] >= 1, f"{field} is {p[field]}", field, "it must be at least 1")
    ctx.check(
        len(ctx.bottoms) == 2 or not p.use_blob_size,
        "use_blob_size is true, and there is no second bottom",
        "use_blob_size",
        "the second bottom gives height and width",
    )
    if len(ctx.bottoms) == 2:
        like = ctx.bottoms[1]
        ctx.check(
            like.type.rank == 4,
            f"the second bottom has shape {list(like.shape)}",
            "bottom",
            "it gives height and width, and needs 4 axes",
            1,
        )
        return list(like.shape[2:])
    by_factor = p.has("shrink_factor") != p.has("zoom_factor")
    if not by_factor and p.has("height") and p.has("width"):
        ctx.check(p.height > 0, f"height is {p.height}", "height")
        ctx.check(p.width > 0, f"width is {p.width}", "width")
        return [p.height, p.width]
    ctx.check(
        p.has("shrink_factor") or p.has("zoom_factor"),
        "the size of the top is missing",
        "height",
        "give height and width, zoom_factor, shrink_factor or a second bottom",
    )
    shrunk = [(d - 1) // shrink + 1 for d in extents]
    return [d + (d - 1) * (zoom - 1) for d in shrunk]

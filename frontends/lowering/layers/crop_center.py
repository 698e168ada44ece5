"""CropCenter (waifu2x): as much off both ends of every axis."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import repeated
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message("CropCenterParameter", repeated("uint32", "crop_size"))


@layer("CropCenter", param="crop_center_param", message=MESSAGE, fork="waifu2x", coordinates="cut")
def lower_crop_center(ctx: LayerContext) -> Value:
    """Without the first and the last ``crop_size`` elements of every axis, one number for each.

    lltcggie/caffe: src/caffe/layers/crop_center_layer.cpp.
    """
    x, sizes = ctx.x, ctx.param.crop_size
    ctx.check(
        len(sizes) == x.type.rank,
        f"{len(sizes)} crop_size for a bottom of {x.type.rank} axes, {list(x.shape)}",
        "crop_size",
        "give one per axis, those of batch and channels (0) too",
    )
    for axis, (size, extent) in enumerate(zip(sizes, x.shape, strict=True)):
        ctx.check(
            2 * size + 1 <= extent,
            f"{size} off both ends leave nothing of the {extent} elements of axis {axis}",
            "crop_size",
            index=axis,
        )
    y = x
    for axis, size in enumerate(sizes):
        y = ctx.b.slice(y, axis, size, x.shape[axis] - size)
    return y

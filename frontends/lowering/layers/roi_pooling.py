"""ROIPooling (Fast and Faster R-CNN)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value
from ir.ops.region import RegionMax

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "ROIPoolingParameter",
    optional("uint32", "pooled_h", default=0),
    optional("uint32", "pooled_w", default=0),
    optional("float", "spatial_scale", default=1.0),
)


@layer(
    "ROIPooling",
    param="roi_pooling_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(1,),
    host=True,
    fork="Fast R-CNN",
    note="A region of an image that is not in the batch gives zeros.",
)
def lower_roi_pooling(ctx: LayerContext) -> Value:
    """Maxima of a pooled_h x pooled_w grid over each region: (R, C, pooled_h, pooled_w).

    Regions are rows (image, x1, y1, x2, y2), in pixels of the net's input, of which the features
    are ``spatial_scale`` times as large. rbgirshick/caffe-fast-rcnn:
    src/caffe/layers/roi_pooling_layer.cpp.
    """
    p = ctx.param
    features, regions = ctx.bottoms
    for field in ("pooled_h", "pooled_w"):
        ctx.check(p[field] > 0, f"{field} is missing or 0", field)
    ctx.check(
        features.type.rank == 4,
        f"'{ctx.layer.bottom[0]}' has shape {list(features.shape)}; four axes are expected",
        "bottom",
    )
    count = regions.shape[0] if regions.shape else 0
    ctx.check(
        bool(regions.shape) and regions.type.size == 5 * count,
        f"'{ctx.layer.bottom[1]}' has shape {list(regions.shape)}; rows of 5 numbers (image, x1, "
        "y1, x2, y2) are expected",
        "bottom",
    )
    op = RegionMax(p.pooled_h, p.pooled_w, p.spatial_scale)
    pooled, _ = ctx.b.emit_all(op, features, ctx.b.reshape(regions, (count, 5)))
    return pooled

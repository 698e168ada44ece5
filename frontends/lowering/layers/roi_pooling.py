"""ROIPooling (Fast and Faster R-CNN)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional, repeated
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.region import RegionMax

from ..context import LayerContext
from ..regions import (
    CellRule,
    LayerRegions,
    RegionSide,
    round_away,
    round_down,
    round_up,
    rounded_times,
)
from ..registry import layer

MESSAGE = declare_message(
    "ROIPoolingParameter",
    optional("uint32", "pooled_h", default=0),
    optional("uint32", "pooled_w", default=0),
    optional("float", "spatial_scale", default=1.0),
    repeated("uint32", "pooled_size"),
)


@layer(
    "ROIPooling",
    param="roi_pooling_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(1,),
    fork="Fast R-CNN",
    note="A region of an image that is not in the batch gives zeros.",
)
def lower_roi_pooling(ctx: LayerContext) -> Value:
    """Maxima of a pooled_h x pooled_w grid over each region: (R, C, pooled_h, pooled_w).

    Regions are rows (image, x1, y1, x2, y2), in pixels of the net's input, of which the features
    are ``spatial_scale`` times as large. Corners are rounded to pixels of the features, and belong
    to the region. rbgirshick/caffe-fast-rcnn: src/caffe/layers/roi_pooling_layer.cpp.
    """
    grid, scale = _grid(ctx), ctx.param.spatial_scale
    regions = LayerRegions.of(ctx)
    ends = [regions.ends(axis, count, _cells(count, scale)) for axis, count in enumerate(grid)]
    pooled, _ = ctx.b.emit_all(RegionMax(), regions.features, regions.images(), *ends)
    return pooled


def _grid(ctx: LayerContext) -> tuple[int, int]:
    """Rows and columns. ``pooled_size`` of Intel's fork is both, or one after the other
    (intel/caffe: src/caffe/layers/roi_pooling_layer.cpp)."""
    p = ctx.param
    sizes = list(p.pooled_size)
    if not sizes:
        for field in ("pooled_h", "pooled_w"):
            ctx.check(p[field] > 0, f"{field} is missing or 0", field)
        return p.pooled_h, p.pooled_w
    ctx.check(
        not p.pooled_h and not p.pooled_w,
        "pooled_size is given, and so is pooled_h or pooled_w",
        "pooled_size",
    )
    ctx.check(
        len(sizes) <= 2 and min(sizes) > 0,
        f"pooled_size has the values {sizes}; one or two are expected, above 0",
        "pooled_size",
    )
    return sizes[0], sizes[-1]


def _cells(count: int, scale: float) -> CellRule:
    def cell_of(side: RegionSide, cell: Expr) -> RegionSide:
        first, last = (round_away(rounded_times(end, scale)) for end in side)
        size = e.maximum(last - first + 1.0, 1.0) / float(count)
        return round_down(rounded_times(cell, size)) + first, round_up(
            rounded_times(cell + 1.0, size)
        ) + first

    return cell_of

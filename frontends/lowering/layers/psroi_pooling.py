"""PSROIPooling (R-FCN)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import required
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.region_sum import RegionSum

from ..context import LayerContext
from ..regions import LayerRegions, RegionSide, round_away, round_down, round_up, rounded_times
from ..registry import layer

MESSAGE = declare_message(
    "PSROIPoolingParameter",
    required("float", "spatial_scale"),
    required("int32", "output_dim"),
    required("int32", "group_size"),
)

_LEAST = 0.1  # extent of a region, in pixels of the features


@layer(
    "PSROIPooling",
    param="psroi_pooling_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(1,),
    fork="R-FCN",
    note="A region of an image that is not in the batch gives zeros.",
)
def lower_psroi_pooling(ctx: LayerContext) -> Value:
    """Means of a group_size x group_size grid over each region, of channels that every cell has for
    itself: (R, output_dim, group_size, group_size).

    Regions are rows (image, x1, y1, x2, y2), in pixels of the net's input, of which the features
    are ``spatial_scale`` times as large; corners are rounded, and belong to the region. A cell
    holds all pixels that it touches. daijifeng001/caffe-rfcn, intel/caffe:
    src/caffe/layers/psroi_pooling_layer.cpp.
    """
    p = ctx.param
    for field in ("output_dim", "group_size", "spatial_scale"):
        ctx.check(p[field] > 0, f"{field} {p[field]:g} is not positive", field)
    regions = LayerRegions.of(ctx)
    count = p.group_size
    channels = regions.features.shape[1]
    ctx.check(
        channels == p.output_dim * count * count,
        f"'{ctx.layer.bottom[0]}' has {channels} channels; {p.output_dim * count * count} are "
        f"expected: output_dim {p.output_dim} for each of {count} x {count} cells",
        "output_dim",
    )

    def cell_of(side: RegionSide, cell: Expr) -> RegionSide:
        first = rounded_times(round_away(side[0]), p.spatial_scale)
        last = rounded_times(round_away(side[1]) + 1.0, p.spatial_scale)
        size = e.maximum(last - first, _LEAST) / float(count)
        return round_down(rounded_times(cell, size) + first), round_up(
            rounded_times(cell + 1.0, size) + first
        )

    b = ctx.b
    down, along = (regions.ends(axis, count, cell_of) for axis in (0, 1))
    sums = b.emit(RegionSum(by_cell=True), regions.features, regions.images(), down, along)
    height, width = regions.extents(0, down), regions.extents(1, along)
    area = e.arg(1) * e.arg(2)
    return b.map(e.where(area > 0.0, e.arg(0) / e.maximum(area, 1.0), 0.0), sums, height, width)

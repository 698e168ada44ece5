"""ROIAlign (Mask R-CNN)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.expr import Expr, Operand
from ir.graph import Value
from ir.ops.region_sum import RegionSum

from ..context import LayerContext
from ..regions import LayerRegions, RegionSide, held_between, round_down, round_up, size_as_float
from ..registry import layer

MESSAGE = declare_message(
    "ROIAlignParameter",
    optional("uint32", "pooled_h", default=0),
    optional("uint32", "pooled_w", default=0),
    optional("float", "spatial_scale", default=1.0),
    optional("int32", "sampling_ratio", default=-1),
)

_REACHED = 7
"""Samples that reach a pixel at most, where their number follows from a cell's extent. They are
more than half a pixel apart then, and a pixel of the border is reached from two pixels' width;
two more make up for rounding."""
_MOST_SAMPLES = 64


@layer(
    "ROIAlign",
    param="roi_align_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(1,),
    fork="Mask R-CNN",
    note="Forks disagree. This is the paper's layer, as Caffe2 has it: the mean of interpolated "
    "samples, without a shift by half a pixel. A region of an image that is not in the batch gives "
    "zeros.",
)
def lower_roi_align(ctx: LayerContext) -> Value:
    """Means of samples in a pooled_h x pooled_w grid over each region:
    (R, C, pooled_h, pooled_w).

    Regions are rows (image, x1, y1, x2, y2), in pixels of the net's input, of which the features
    are ``spatial_scale`` times as large; nothing is rounded, and no region is smaller than a pixel
    of the features. A cell is sampled at the middles of ``sampling_ratio`` x ``sampling_ratio``
    equal parts (if not positive: as many along each axis as it has pixels, rounded up), between
    pixels by bilinear interpolation. A sample outside by more than a pixel is 0.

    VitoChien/caffe-fast-rcnn: src/caffe/layers/roi_align_layer.cu (field names, and the rule, which
    is that of pytorch/pytorch: caffe2/operators/roi_align_op.cc).
    """
    p = ctx.param
    for field in ("pooled_h", "pooled_w"):
        ctx.check(p[field] > 0, f"{field} is missing or 0", field)
    ctx.check(
        p.sampling_ratio <= _MOST_SAMPLES,
        f"sampling_ratio {p.sampling_ratio} is more than {_MOST_SAMPLES}",
        "sampling_ratio",
    )
    regions = LayerRegions.of(ctx)
    ends, weights = [], []
    for axis, count in enumerate((p.pooled_h, p.pooled_w)):
        extent = regions.features.shape[2 + axis]
        samples = _Samples(count, p.spatial_scale, p.sampling_ratio, extent)
        ends.append(regions.ends(axis, count, samples.ends))
        weights.append(regions.weights(axis, count, samples.weight))
    return ctx.b.emit(RegionSum(), regions.features, regions.images(), *ends, *weights)


class _Samples:
    """Of cells along one axis."""

    def __init__(self, cells: int, scale: float, ratio: int, extent: int) -> None:
        self._cells, self._scale, self._ratio = cells, scale, ratio
        self._extent, self._last = size_as_float(extent), size_as_float(extent - 1)

    def _placed(self, side: RegionSide, cell: Expr) -> tuple[Expr, Expr, Operand]:
        """Where a cell begins, its extent, and how many samples it has."""
        first, last = (end * self._scale for end in side)
        size = e.maximum(last - first, 1.0) / float(self._cells)
        count = float(self._ratio) if self._ratio > 0 else round_up(size)
        return first + cell * size, size, count

    def ends(self, side: RegionSide, cell: Expr) -> RegionSide:
        """Pixels that samples of a cell reach."""
        start, size, count = self._placed(side, cell)
        half = size * 0.5 / count
        first, end = (held_between(start + at, 0.0, self._last) for at in (half, size - half))
        return round_down(first), round_down(end) + 2.0

    def weight(self, side: RegionSide, cell: Expr, pixel: Expr) -> Expr:
        """How much of a pixel all samples of a cell take together, for their mean."""
        start, size, count = self._placed(side, cell)
        total = e.const(0.0)
        numbers: list[Operand] = [float(sample) for sample in range(max(self._ratio, 0))]
        if self._ratio <= 0:
            before = round_down((pixel - 1.0 - start) * count / size - 0.5)
            numbers = [e.maximum(before, 0.0) + float(i) for i in range(_REACHED)]
        for sample in numbers:
            at = start + (sample + 0.5) * size / count
            near = e.maximum(1.0 - e.absolute(held_between(at, 0.0, self._last) - pixel), 0.0)
            counts = (at >= -1.0) & (at <= self._extent)
            if self._ratio <= 0:
                counts = counts & (sample < count)
            total = e.where(counts, near, 0.0) + total
        return total / count

"""Concat, Slice and Split."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


def _axis(ctx: LayerContext, legacy: str, *, both: bool = False) -> int:
    """``axis``, or the old field that does not count from the end. ``both``: they may be given both
    where they are equal."""
    p = ctx.param
    if not p.has(legacy):
        return ctx.axis(p.axis)
    agree = both and p.axis == p[legacy]
    ctx.check(
        agree or not p.has("axis"), f"both axis and {legacy} are given", legacy, "give axis only"
    )
    return ctx.axis(p[legacy], field=legacy)


@layer("Concat", param="concat_param", bottoms=(1, None))
def lower_concat(ctx: LayerContext) -> Value:
    """Bottoms one after the other. Caffe: src/caffe/layers/concat_layer.cpp."""
    axis = _axis(ctx, "concat_dim")
    first = ctx.x.shape
    for i, other in enumerate(ctx.bottoms[1:], 1):
        shape = other.shape
        ctx.check(
            len(shape) == len(first),
            f"bottom {i} has {len(shape)} axes, {list(shape)}; bottom 0 has {len(first)}, "
            f"{list(first)}",
            "bottom",
            index=i,
        )
        ctx.check(
            all(a == axis or d == f for a, (d, f) in enumerate(zip(shape, first, strict=True))),
            f"bottom {i} has shape {list(shape)}, bottom 0 has {list(first)}",
            "bottom",
            f"all extents but that of axis {axis} must be equal",
            i,
        )
    return ctx.b.concat(ctx.bottoms, axis)


@layer(
    "Slice",
    param="slice_param",
    tops=(1, None),
    note="`axis` and `slice_dim` may both be given where they are equal, as MyCaffe writes them.",
)
def lower_slice(ctx: LayerContext) -> Sequence[Value]:
    """Parts along an axis: between the slice points, or equal ones.

    Caffe: src/caffe/layers/slice_layer.cpp.
    """
    axis = _axis(ctx, "slice_dim", both=True)
    extent, tops, points = ctx.x.shape[axis], ctx.top_count, ctx.param.slice_point
    if points:
        ctx.check(
            len(points) == tops - 1,
            f"{len(points)} slice_point values for {tops} tops",
            "slice_point",
            f"{tops} tops need {tops - 1}",
        )
        bounds = [0, *points, extent]
        ctx.check(
            all(a < c for a, c in itertools.pairwise(bounds)),
            f"slice points {points} do not ascend within axis {axis}, which has {extent} elements",
            "slice_point",
        )
    else:
        ctx.check(
            extent % tops == 0,
            f"axis {axis} has {extent} elements, which do not divide into {tops} equal parts",
            "top",
            "give slice_point values",
            tops - 1,
        )
        bounds = [extent // tops * i for i in range(tops + 1)]
    return [ctx.b.slice(ctx.x, axis, a, c) for a, c in itertools.pairwise(bounds)]


@layer("Split", tops=(1, None), shares_data=True, is_split=True, coordinates="kept")
def lower_split(ctx: LayerContext) -> Sequence[Value]:
    """The bottom under several names; their gradients add up."""
    return [ctx.x] * ctx.top_count

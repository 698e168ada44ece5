"""ResizeBilinear and ResizeNearestNeighbor (Synopsys' Caffe, after TensorFlow and ONNX)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

Weights = Callable[[LayerContext, int, int], Value]


def _resized(ctx: LayerContext, weights: Weights) -> Value:
    """Each spatial axis times a matrix [extent, wanted]; extents are fixed by it."""
    p, b, x = ctx.param, ctx.b, ctx.x
    ctx.check(x.type.rank == 4, f"4 axes are needed, the bottom has {list(x.shape)}", "bottom")
    name = p.data_format
    ctx.check(name in ("NHWC", "NCHW"), f"data_format is {name!r}", "data_format", "NHWC or NCHW")
    first = 1 if name == "NHWC" else 2
    for axis, side in ((first, "height"), (first + 1, "width")):
        extent = int(x.shape[axis])
        wanted = _wanted(ctx, side, extent)
        last = b.transpose(x, [*(a for a in range(4) if a != axis), axis])
        lead = last.shape[:-1]
        rows = b.reshape(last, (math.prod(lead), extent))
        product = b.reshape(b.matmul(rows, weights(ctx, extent, wanted)), (*lead, wanted))
        x = b.transpose(product, [*range(axis), 3, *range(axis, 3)])
    return x


def _wanted(ctx: LayerContext, side: str, extent: int) -> int:
    p = ctx.param
    field = f"output_{side}" if p.has(f"output_{side}") else f"scale_{side}"
    wanted = p[field] if field.startswith("output") else _floor(extent * p[field])
    ctx.check(0 < wanted < 1 << 31, f"the top would have {wanted} elements of {side}", field)
    return int(wanted)


def _floor(value: float) -> int:
    return math.floor(value) if math.isfinite(value) else 0


def _scale(ctx: LayerContext, extent: int, wanted: int) -> Expr:
    """How far apart, in elements of the bottom, those of the top lie; in float32, as in C."""
    aligned = ctx.param.align_corners and wanted > 1
    ratio = (
        np.float32(extent - 1) / np.float32(wanted - 1)
        if aligned
        else (np.float32(extent) / np.float32(wanted))
    )
    return e.const(float(ratio))


def _floored(value: Expr) -> Expr:
    """The whole number at or below."""
    whole = e.to_int(value)
    return e.where(e.to_float(whole) > value, whole - 1, whole)


def _modes(ctx: LayerContext, *fields: str) -> None:
    given = [field for field in fields if ctx.param[field]]
    ctx.check(
        len(given) <= 1, f"{' and '.join(given)} exclude each other", given[-1] if given else None
    )


@layer("ResizeBilinear", param="resize_bilinear_param", fork="Synopsys")
def lower_resize_bilinear(ctx: LayerContext) -> Value:
    """Linear in both directions; where elements lie, three flags say.

    synopsys-caffe: src/caffe/layers/resize_bilinear_layer.cpp.
    """
    _modes(ctx, "align_corners", "half_pixel_centers", "pytorch_half_pixel")
    return _resized(ctx, _linear)


def _linear(ctx: LayerContext, extent: int, wanted: int) -> Value:
    p = ctx.param
    scale, place = _scale(ctx, extent, wanted), e.to_float(e.index(1))
    if p.pytorch_half_pixel and wanted == 1:
        inside: Expr = e.const(-0.5) + place
    elif p.half_pixel_centers or p.pytorch_half_pixel:
        inside = (place + 0.5) * scale - 0.5
    else:
        inside = place * scale
    left = _floored(inside)
    share = inside - e.to_float(left)
    ceiling = e.where(e.to_float(left) < inside, left + 1, left)
    lower, upper = e.maximum(left, 0), e.minimum(ceiling, extent - 1)
    here = e.where(e.equal(e.index(0), lower), 1.0 - share, 0.0)
    beside = e.where(e.equal(e.index(0), upper), share, 0.0)
    return ctx.b.map(here + beside, shape=(extent, wanted))


@layer("ResizeNearestNeighbor", param="resize_nearest_neighbor_param", fork="Synopsys")
def lower_resize_nearest(ctx: LayerContext) -> Value:
    """The nearest element; three flags say where elements lie.

    synopsys-caffe: src/caffe/layers/resize_nearest_neighbor_layer.cpp.
    """
    _modes(ctx, "align_corners", "half_pixel_centers", "half_pixel_onnx")
    return _resized(ctx, _nearest)


def _nearest(ctx: LayerContext, extent: int, wanted: int) -> Value:
    p = ctx.param
    scale, place = _scale(ctx, extent, wanted), e.to_float(e.index(1))
    if p.half_pixel_onnx:
        inside = (place + 0.5) * scale - 0.5
    elif p.half_pixel_centers:
        inside = (place + 0.5) * scale
    else:  # rounded away from 0 where corners are aligned
        inside = place * scale + (0.5 if p.align_corners else 0.0)
    chosen = e.maximum(e.minimum(_floored(inside), extent - 1), 0)
    return ctx.b.map(e.where(e.equal(e.index(0), chosen), 1.0, 0.0), shape=(extent, wanted))

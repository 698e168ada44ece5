"""InnerDistance: distances to learned centers in place of products (happynear/caffe-windows)."""

from __future__ import annotations

import math

from frontends.schema.registry import message_type
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_row_labels
from ..registry import layer

_SQUARED_LEAST = 1e-6


@layer(
    "InnerDistance",
    param="inner_distance_param",
    message=message_type("InnerDistanceParameter"),
    bottoms=(1, 3),
    no_gradient_to=(2,),
    fork="happynear",
    note="There is no bias, whatever bias_term says, as in the fork. The gradient of L1 is the "
    "sign times the top's; the fork forgets to multiply where it is negative.",
)
def lower_inner_distance(ctx: LayerContext) -> Value:
    """Distances (squared for L2, absolute for L1) of rows, from ``axis`` on, to centers (N, K).

    The centers are a blob, or the second bottom. ``normalize`` scales those of the blob to length
    1 before each pass, and leaves them so. With ``update_center_only`` a row moves the center of
    its label, in the last bottom, alone. happynear/caffe-windows:
    src/caffe/layers/inner_distance_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    _check(ctx)
    axis = ctx.axis(p.axis)
    lead, width = x.shape[:axis], math.prod(x.shape[axis:])
    count = math.prod(lead)
    centers = _given(ctx, width) if len(ctx.bottoms) > 1 else _learned(ctx, width)
    number = centers.shape[0]
    center = e.arg(1)
    values = [b.reshape(x, (count, 1, width)), b.reshape(centers, (1, number, width))]
    if p.update_center_only:
        check_row_labels(ctx, count, bottom=2)
        values.append(b.reshape(ctx.bottoms[2], (count, 1, 1)))
        mine = e.equal(e.index(1), e.to_int(e.arg(2)))
        center = e.where(mine, center, e.stop(center))
    difference = e.arg(0) - center
    each = e.absolute(difference) if p.distance_type == "L1" else difference * difference
    return b.reshape(b.sum(b.map(each, *values), (2,)), (*lead, number))


def _check(ctx: LayerContext) -> None:
    p = ctx.param
    ctx.check(
        p.distance_type in ("L1", "L2"),
        f"distance_type {p.distance_type!r} is neither L1 nor L2",
        "distance_type",
    )
    ctx.check(
        not p.update_center_only or len(ctx.bottoms) == 3,
        f"update_center_only needs labels, and there are {len(ctx.bottoms)} bottoms",
        "update_center_only",
        "three bottoms: rows, centers and one label per row",
    )


def _learned(ctx: LayerContext, width: int) -> Value:
    """Centers of the layer's own: what the blob holds, row by row, even if it is transposed."""
    b, p = ctx.b, ctx.param
    number, width = p.num_output, int(width)
    ctx.check(number > 0, "num_output is missing or 0", "num_output", "give the number of centers")
    shape = (width, number) if p.transpose else (number, width)
    blob = ctx.parameter(shape, p.weight_filler)
    centers = b.reshape(blob, (number, width))
    if not p.normalize:
        return centers
    length = b.sum(b.map(e.arg(0) * e.arg(0), centers), (1,))
    scaled = e.arg(0) / e.sqrt(e.arg(1) + _SQUARED_LEAST)
    # What moves the centers is their gradient as they are after that.
    centers = b.map(e.grad_as(scaled, e.arg(0)), centers, length)
    ctx.write(blob, b.reshape(centers, shape))
    return centers


def _given(ctx: LayerContext, width: int) -> Value:
    """Centers of the second bottom, one for each of its items."""
    centers = ctx.bottoms[1]
    number = (*centers.shape, 1)[0]
    ctx.check(
        centers.type.size == number * width,
        f"'{ctx.layer.bottom[1]}' has shape {list(centers.shape)}; rows of {width} numbers, as "
        f"those of '{ctx.layer.bottom[0]}', are expected",
        "bottom",
        index=1,
    )
    return ctx.b.reshape(centers, (number, width))

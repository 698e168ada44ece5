"""What py-faster-rcnn's layers read: a map of one image, its objects and its size."""

from __future__ import annotations

import math

from ir.graph import Value

from .context import LayerContext


def map_size(ctx: LayerContext) -> tuple[int, int]:
    """Rows and columns of the first bottom."""
    shape = ctx.x.shape
    ctx.check(
        len(shape) == 4 and int(shape[0]) == 1 and all(d > 0 for d in shape[2:]),
        f"'{ctx.layer.bottom[0]}' has shape {list(shape)}; a map of one image is expected",
        "bottom",
    )
    return shape[2], shape[3]


def objects_of(ctx: LayerContext, bottom: int) -> Value:
    """Ground truth as f32[G, 5]: x1, y1, x2, y2, class."""
    value = ctx.bottoms[bottom]
    shape = value.shape
    ctx.check(
        len(shape) >= 2 and shape[-1] == 5 and math.prod(shape) > 0,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}; rows of x1, y1, x2, y2 and class "
        "are expected, one or more",
        "bottom",
        index=bottom,
    )
    return ctx.b.reshape(value, (math.prod(shape[:-1]), 5))


def image_size(ctx: LayerContext, bottom: int) -> tuple[Value, Value]:
    """Height and width of the only image, f32[1, 1] each."""
    value, b = ctx.bottoms[bottom], ctx.b
    shape = value.shape
    ctx.check(
        len(shape) >= 1 and math.prod(shape) >= 3,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}; height, width and scale are "
        "expected",
        "bottom",
        index=bottom,
    )
    flat = b.reshape(value, (math.prod(shape),))
    return b.reshape(b.slice(flat, 0, 0, 1), (1, 1)), b.reshape(b.slice(flat, 0, 1, 2), (1, 1))

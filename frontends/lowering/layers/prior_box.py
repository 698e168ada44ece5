"""PriorBox (SSD)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from frontends.schema.registry import message_type
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.types import F32

from ..chosen import chosen
from ..context import LayerContext
from ..registry import layer

_SAME = 1e-6
"""Aspect ratios that differ by less are one."""

_LARGEST = 1e9
"""No box has so many pixels along a side."""

_DEFAULT_VARIANCE = (0.1,)


@layer(
    "PriorBox",
    param="prior_box_param",
    message=message_type("PriorBoxParameter"),
    bottoms=2,
    no_gradient_to=(0, 1),
    fork="SSD",
)
def lower_prior_box(ctx: LayerContext) -> Value:
    """Boxes of given sizes around every position of a map: (1, 2, H * W * boxes * 4).

    The first channel holds x1, y1, x2, y2 as parts of the image (the second bottom's size, unless
    img_size or img_h and img_w give another), the second one their variances. Only the shapes of
    the bottoms matter. SSD: src/caffe/layers/prior_box_layer.cpp.
    """
    p, b = ctx.param, ctx.b
    boxes, variances = _boxes(ctx), _variances(ctx)
    rows, columns = _map_size(ctx, 0)
    image = _image_size(ctx)
    step_y, step_x = _steps(ctx, image, (rows, columns))
    height, width = (e.dyn(extent, F32) for extent in image)
    # A position's row and column, the number of its box, and which of four coordinates.
    channel, row, column, box, coordinate = (e.index(axis) for axis in range(5))
    is_y = e.equal(coordinate % 2, 1)
    offset = e.const(p.offset)
    center_x = (e.to_float(column) + offset) * step_x
    center_y = (e.to_float(row) + offset) * step_y
    half_x = chosen(box, [w / 2.0 for w, _ in boxes])
    half_y = chosen(box, [h / 2.0 for _, h in boxes])
    half, center = e.where(is_y, half_y, half_x), e.where(is_y, center_y, center_x)
    edge = e.where(coordinate < 2, center - half, center + half)
    place = edge / e.where(is_y, height, width)
    if p.clip:
        place = e.minimum(e.maximum(place, 0.0), 1.0)
    variance = chosen(coordinate, variances)
    made = b.map(
        e.where(e.equal(channel, 0), place, variance), shape=(2, rows, columns, len(boxes), 4)
    )
    return b.reshape(made, (1, 2, rows * columns * len(boxes) * 4))


def _boxes(ctx: LayerContext) -> list[tuple[float, float]]:
    """Width and height of the boxes of one position, in pixels."""
    least, most = list(ctx.param.min_size), list(ctx.param.max_size)
    ctx.check(bool(least), "prior_box_param has no `min_size`", "min_size")
    for i, size in enumerate(least):
        ctx.check(0 < size < _LARGEST, f"min_size is {size:g}", "min_size", "it must be a size", i)
    ctx.check(
        len(most) in (0, len(least)),
        f"{len(least)} min_size and {len(most)} max_size values",
        "max_size",
        "give none, or one per min_size",
    )
    for i, (small, large) in enumerate(zip(least, most, strict=False)):
        ctx.check(
            small < large < _LARGEST,
            f"max_size {large:g} is not more than min_size {small:g}, or no size",
            "max_size",
            index=i,
        )
    ratios = _ratios(ctx)
    boxes: list[tuple[float, float]] = []
    for i, size in enumerate(least):
        whole = int(size)  # sizes lose their fractions where boxes are made
        boxes.append((whole, whole))
        if most:
            mean = math.sqrt(whole * int(most[i]))
            boxes.append((mean, mean))
        for ratio in ratios:
            if abs(ratio - 1.0) >= _SAME:
                root = math.sqrt(ratio)
                boxes.append((whole * root, whole / root))
    return boxes


def _ratios(ctx: LayerContext) -> list[float]:
    """Each aspect ratio once, 1 first, each followed by its inverse if ``flip``."""
    ratios = [1.0]
    for i, given in enumerate(ctx.param.aspect_ratio):
        ctx.check(
            1.0 / _LARGEST < given < _LARGEST,
            f"aspect_ratio is {given:g}",
            "aspect_ratio",
            "it must be more than 0, and a number",
            i,
        )
        ratio = float(np.float32(given))
        if all(abs(ratio - other) >= _SAME for other in ratios):
            ratios.append(ratio)
            if ctx.param.flip:
                ratios.append(float(np.float32(1.0 / ratio)))
    return ratios


def _variances(ctx: LayerContext) -> Sequence[float]:
    """Of x1, y1, x2, y2."""
    given = tuple(ctx.param.variance) or _DEFAULT_VARIANCE
    ctx.check(len(given) in (1, 4), f"{len(given)} variance values", "variance", "give 1 or 4")
    for i, variance in enumerate(given):
        ctx.check(
            variance > 0, f"variance is {variance:g}", "variance", "it must be more than 0", i
        )
    return given * (4 // len(given))


def _map_size(ctx: LayerContext, bottom: int) -> tuple[int, int]:
    """Height and width of a bottom; axes that it lacks have extent 1."""
    shape = ctx.bottoms[bottom].shape
    ctx.check(
        len(shape) <= 4,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}; at most four axes are expected",
        "bottom",
        index=bottom,
    )
    rows, columns = (*shape, 1, 1, 1, 1)[2:4]
    ctx.check(
        rows > 0 and columns > 0,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(shape)}, which has no position",
        "bottom",
        index=bottom,
    )
    return rows, columns


def _image_size(ctx: LayerContext) -> tuple[float, float]:
    """Height and width, in pixels."""
    given = _either(ctx, "img_size", "img_h", "img_w")
    return _map_size(ctx, 1) if given is None else given


def _steps(
    ctx: LayerContext, image: tuple[float, float], positions: tuple[int, int]
) -> tuple[Expr, Expr]:
    """How far positions lie apart, in pixels: down and across."""
    given = _either(ctx, "step", "step_h", "step_w")
    if given is None:
        given = image[0] / positions[0], image[1] / positions[1]
    return e.dyn(given[0], F32), e.dyn(given[1], F32)


def _either(ctx: LayerContext, both: str, down: str, across: str) -> tuple[float, float] | None:
    """What one field, or one for each axis, says; None if none is there."""
    p = ctx.param
    apart = [field for field in (down, across) if p.has(field)]
    if apart:
        ctx.check(
            not p.has(both),
            f"`{both}` and `{apart[0]}` are both given",
            both,
            f"give {both}, or {down} and {across}",
        )
        for field, other in ((down, across), (across, down)):
            ctx.check(p.has(field), f"`{other}` is given without `{field}`", other, f"add {field}")
    elif not p.has(both):
        return None
    fields = (down, across) if apart else (both, both)
    for field in fields:
        ctx.check(p[field] > 0, f"{field} is {p[field]:g}", field, "it must be more than 0")
    return p[fields[0]], p[fields[1]]

"""Which boxes PriorBox puts around a position, and in which order.

weiliu89/caffe and foss-for-synopsys-dwc-arc-processors/synopsys-caffe:
src/caffe/layers/prior_box_layer.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .context import LayerContext

_SAME = 1e-6
"""Aspect ratios that differ by less are one."""

LARGEST = 1e9
"""No box has so many pixels along a side."""

_DENSE = {32: (8, (-2, -1, 0, 1)), 64: (16, (-1, 0))}
"""Of FaceBoxes: by the size of a box, the distance of its copies and where they are."""

_FACEBOXES = 21
"""Boxes of a position that Synopsys' layer has room for with `faceboxes` and three sizes."""

_INSET_SIZE, _INSET = 60, 0.05
"""With `tf`, squares of this size lose this part of the image on each side."""


@dataclass(frozen=True)
class PlacedBox:
    """Width and height in pixels, and how far from the position the middle is.

    ``inset``: what each side gives up, as a part of the image. ``swapped``: coordinates come as
    y, x.
    """

    width: float
    height: float
    across: float = 0.0
    down: float = 0.0
    inset: float = 0.0
    swapped: bool = False


def boxes_of_a_position(ctx: LayerContext) -> list[PlacedBox]:
    """What min_size, max_size and aspect_ratio say, in the order that other fields name."""
    p = ctx.param
    _check_sizes(ctx)
    ratios = [ratio for ratio in _ratios(ctx) if abs(ratio - 1.0) >= _SAME]
    boxes: list[PlacedBox] = []
    for i, size in enumerate(p.min_size):
        whole = int(size)  # sizes lose their fractions where boxes are made
        mean = math.sqrt(whole * int(p.max_size[i])) if p.max_size else 0.0
        squares = [PlacedBox(mean, mean, swapped=p.yx_order)] if p.max_size else []
        others = [
            PlacedBox(whole * math.sqrt(r), whole / math.sqrt(r), swapped=p.yx_order)
            for r in ratios
        ]
        first = list(_first(ctx, whole))
        if p.keras:
            boxes += [*squares, *first, *others]
        elif p.tf:
            boxes += [*first, *others, *squares]
        else:
            boxes += [*first, *squares, *others]
    if p.faceboxes:
        _check_room(ctx, len(boxes), len(ratios) + 1)
    return boxes


def _first(ctx: LayerContext, size: int) -> Iterator[PlacedBox]:
    """The square of min_size, or several of them."""
    p = ctx.param
    if not p.faceboxes or p.keras:
        inset = _INSET if p.tf and not p.keras and size == _INSET_SIZE else 0.0
        yield PlacedBox(size, size, inset=inset, swapped=p.yx_order)
        return
    distance, steps = _DENSE.get(size, (0, (0,)))
    for down in steps:
        for across in steps:
            shifts = float(across * distance), float(down * distance)
            yield PlacedBox(size - 1, size - 1, *shifts)


def _check_room(ctx: LayerContext, boxes: int, ratios: int) -> None:
    """Synopsys' layer fills a top that it has made before."""
    sizes = len(ctx.param.min_size)
    room = _FACEBOXES if sizes == 3 else ratios * sizes
    room += len(ctx.param.max_size)
    ctx.check(
        boxes == room,
        f"with faceboxes a position has {boxes} boxes of these sizes, and room for {room}",
        "faceboxes",
        "min_size: 32, 64 and 128, or any that are neither 32 nor 64",
    )


def _check_sizes(ctx: LayerContext) -> None:
    least, most = list(ctx.param.min_size), list(ctx.param.max_size)
    ctx.check(bool(least), "prior_box_param has no `min_size`", "min_size")
    for i, size in enumerate(least):
        ctx.check(0 < size < LARGEST, f"min_size is {size:g}", "min_size", "it must be a size", i)
    ctx.check(
        len(most) in (0, len(least)),
        f"{len(least)} min_size and {len(most)} max_size values",
        "max_size",
        "give none, or one per min_size",
    )
    for i, (small, large) in enumerate(zip(least, most, strict=False)):
        ctx.check(
            small < large < LARGEST,
            f"max_size {large:g} is not more than min_size {small:g}, or no size",
            "max_size",
            index=i,
        )


def _ratios(ctx: LayerContext) -> list[float]:
    """Each aspect ratio once, 1 first; with ``flip`` each is followed by its inverse, or, with
    ``keras``, all by theirs."""
    p = ctx.param
    ratios = [1.0]
    given = []
    for i, value in enumerate(p.aspect_ratio):
        ctx.check(
            1.0 / LARGEST < value < LARGEST,
            f"aspect_ratio is {value:g}",
            "aspect_ratio",
            "it must be more than 0, and a number",
            i,
        )
        given.append(float(np.float32(value)))
    inverses = [float(np.float32(1.0 / ratio)) for ratio in given]
    for ratio, inverse in zip(given, inverses, strict=True):
        if _is_new(ratio, ratios):
            ratios.append(ratio)
            if p.flip and not p.keras:
                ratios.append(inverse)
    if p.flip and p.keras:
        for inverse in inverses:
            if _is_new(inverse, ratios):
                ratios.append(inverse)
    return ratios


def _is_new(ratio: float, ratios: list[float]) -> bool:
    return all(abs(ratio - other) >= _SAME for other in ratios)

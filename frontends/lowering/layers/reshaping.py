"""Layers that change the shape and no element: Flatten, Reshape, Tile, Crop, and Silence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Flatten", param="flatten_param", shares_data=True)
def lower_flatten(ctx: LayerContext) -> Value:
    """Axes ``axis`` to ``end_axis`` as one. Caffe: src/caffe/layers/flatten_layer.cpp."""
    x = ctx.x
    start = ctx.axis(ctx.param.axis)
    end = ctx.axis(ctx.param.end_axis, field="end_axis")
    ctx.check(start <= end + 1, f"axis {start} comes after end_axis {end}", "end_axis")
    middle = math.prod(x.shape[start : end + 1])
    return ctx.b.reshape(x, (*x.shape[:start], middle, *x.shape[end + 1 :]))


@layer("Reshape", param="reshape_param", shares_data=True, fork_fields=("pixelshuffler",))
def lower_reshape(ctx: LayerContext) -> Value:
    """The same elements under another shape: 0 copies an extent, -1 infers one.

    Only ``num_axes`` axes from ``axis`` on are replaced; a negative axis counts from behind
    the last one. Caffe: src/caffe/layers/reshape_layer.cpp.

    With ``pixelshuffler`` r above 1 the other fields do not count: r * r channels become one, of
    r times the height and width (synopsys-caffe: src/caffe/layers/reshape_layer.cpp).
    """
    p, x = ctx.param, ctx.x
    if p.pixelshuffler != 1:
        ctx.shares_data = False
        return depth_to_space(ctx, x, p.pixelshuffler, "pixelshuffler")
    rank = x.type.rank
    start = p.axis if p.axis >= 0 else rank + p.axis + 1
    ctx.check(0 <= start <= rank, f"axis {p.axis} is out of range for {list(x.shape)}", "axis")
    ctx.check(p.num_axes >= -1, f"num_axes is {p.num_axes}", "num_axes", "-1 (all) or more")
    end = rank if p.num_axes == -1 else start + p.num_axes
    ctx.check(end <= rank, f"num_axes goes beyond the axes of {list(x.shape)}", "num_axes")
    given: list[int] = p.shape.dim
    replaced = []
    for i, extent in enumerate(given):
        if extent == 0:
            ctx.check(
                start + i < rank,
                f"dim {i} is 0 (copy), but the bottom {list(x.shape)} has no axis {start + i}",
                "shape",
            )
            extent = x.shape[start + i]
        ctx.check(extent >= -1, f"dim {i} is {extent}", "shape")
        replaced.append(extent)
    shape = [*x.shape[:start], *replaced, *x.shape[end:]]
    ctx.check(
        replaced.count(-1) <= 1, f"{replaced.count(-1)} dims are -1", "shape", "one may be inferred"
    )
    known = math.prod(d for d in shape if d != -1)
    if -1 in shape:
        ctx.check(
            known > 0 and x.type.size % known == 0,
            f"{x.type.size} elements, {list(x.shape)}, do not divide into the given extents, "
            f"{known}",
            "shape",
        )
        shape[shape.index(-1)] = x.type.size // known
    ctx.check(
        math.prod(shape) == x.type.size,
        f"the bottom {list(x.shape)} has {x.type.size} elements, the new shape {shape} has "
        f"{math.prod(shape)}",
        "shape",
        "let one dim be -1",
    )
    return ctx.b.reshape(x, shape)


def depth_to_space(ctx: LayerContext, x: Value, r: int, field: str) -> Value:
    """(N, C * r * r, H, W) to (N, C, H * r, W * r): channel (c * r + i) * r + j goes to row i and
    column j of each cell of c."""
    ctx.check(r > 0, f"{field} is {r}", field, "1 or more")
    ctx.check(x.type.rank == 4, f"{field} takes 4 axes, the bottom has {list(x.shape)}", field)
    n, c, h, w = x.shape
    ctx.check(c % (r * r) == 0, f"{c} channels do not divide into {r}x{r} pixels", field)
    cells = ctx.b.reshape(x, (n, c // (r * r), r, r, h, w))
    return ctx.b.reshape(
        ctx.b.transpose(cells, (0, 1, 4, 2, 5, 3)), (n, c // (r * r), h * r, w * r)
    )


@layer("Tile", param="tile_param")
def lower_tile(ctx: LayerContext) -> Value:
    """``tiles`` copies along an axis. Caffe: src/caffe/layers/tile_layer.cpp."""
    b, x, tiles = ctx.b, ctx.x, ctx.param.tiles
    axis = ctx.axis(ctx.param.axis)
    ctx.check(ctx.param.has("tiles"), "tiles is missing", "tiles", "give the number of copies")
    ctx.check(tiles > 0, f"tiles is {tiles}", "tiles", "it must be at least 1")
    lead, rest = x.shape[:axis], x.shape[axis:]
    copies = b.broadcast(b.reshape(x, (*lead, 1, *rest)), (*lead, tiles, *rest))
    return b.reshape(copies, (*lead, tiles * rest[0], *rest[1:]))


@layer("Crop", param="crop_param", bottoms=2, no_gradient_to=(1,), coordinates="cut")
def lower_crop(ctx: LayerContext) -> Value:
    """The part of the first bottom that has the second's extents from ``axis`` on.

    One offset for all cropped axes, or one for each. Caffe: src/caffe/layers/crop_layer.cpp.
    """
    x, like, offsets = ctx.x, ctx.bottoms[1], ctx.param.offset
    rank = x.type.rank
    start = ctx.axis(ctx.param.axis)
    cropped = rank - start
    ctx.check(
        like.type.rank >= rank,
        f"the bottoms have {rank} and {like.type.rank} axes",
        "bottom",
        "the second gives the size of the top and needs as many axes",
        1,
    )
    ctx.check(
        len(offsets) in (0, 1, cropped),
        f"{len(offsets)} offsets for {cropped} cropped axes",
        "offset",
        "give one for all, or one per axis from `axis` on",
    )
    places = (offsets or [0]) * cropped if len(offsets) <= 1 else offsets
    y = x
    for axis, first in zip(range(start, rank), places, strict=True):
        stop = first + like.shape[axis]
        ctx.check(
            stop <= x.shape[axis],
            f"axis {axis} has {x.shape[axis]} elements; {like.shape[axis]} from offset {first} on "
            "go beyond it",
            "offset" if offsets else "bottom",
            index=axis - start if len(offsets) > 1 else 0 if offsets else 1,
        )
        y = ctx.b.slice(y, axis, first, stop)
    return y


@layer("Silence", bottoms=(1, None), tops=0)
def lower_silence(ctx: LayerContext) -> Sequence[Value]:
    """Uses its bottoms, so that they are not outputs of the net."""
    return ()

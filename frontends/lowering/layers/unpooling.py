"""UnPooling (MyCaffe): the way back from pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontends.schema.registry import declare_message
from frontends.schema.types import enum, optional, repeated
from ir import expr as e
from ir.graph import Value
from ir.ops.window import WindowSpread
from ir.size import larger

from ..context import LayerContext
from ..put_back import places_in, put_back
from ..registry import layer

MESSAGE = declare_message(
    "UnPoolingParameter",
    enum("PoolingMethod", MAX=0, AVE=1, STO_DEF=2, STO_MAX=3, STOCHASTIC=4),
    optional("PoolingMethod", "pool", default="MAX"),
    repeated("uint32", "kernel_size"),
    optional("uint32", "kernel_h"),
    optional("uint32", "kernel_w"),
    repeated("uint32", "stride"),
    optional("uint32", "stride_h"),
    optional("uint32", "stride_w"),
    repeated("uint32", "pad"),
    optional("uint32", "pad_h"),
    optional("uint32", "pad_w"),
    optional("bool", "global_pooling", default=False),
    repeated("uint32", "unpool_size"),
    optional("uint32", "unpool_h"),
    optional("uint32", "unpool_w"),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    repeated("uint32", "dilation", execution_only=True),
)
_LARGEST = 1 << 20

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Geometry:
    """What was pooled, of height and width each: windows, how far apart, in how large an image."""

    window: Pair
    stride: Pair
    pad: Pair
    extents: Pair


def _pair(ctx: LayerContext, name: str, start: str, default: int | None) -> Pair | None:
    """The first value of a list, for height and width, or two fields; None: neither is given."""
    p = ctx.param
    fields = (f"{start}_h", f"{start}_w")
    if p.has(name):
        pair = (p[name][0], p[name][0])
    elif any(map(p.has, fields)):
        for one, other in (fields, fields[::-1]):
            ctx.check(
                default is not None or not p.has(one) or p.has(other),
                f"{one} is given without {other}",
                one,
                "give both",
            )
        pair = (p.get(fields[0], default), p.get(fields[1], default))
    else:
        return None
    for side in pair:
        ctx.check(side <= _LARGEST, f"{name} is {side}", _field(ctx, name, start))
    return pair


def _field(ctx: LayerContext, name: str, start: str) -> str:
    """Where a mistake in a pair stands."""
    return next((f for f in (name, f"{start}_h", f"{start}_w") if ctx.param.has(f)), name)


def _geometry(ctx: LayerContext) -> _Geometry:
    p = ctx.param
    h, w = ctx.x.shape[2:]
    window = _pair(ctx, "kernel_size", "kernel", None)
    stride = _pair(ctx, "stride", "stride", 1) or (1, 1)
    pad = _pair(ctx, "pad", "pad", 0) or (0, 0)
    kernel = _field(ctx, "kernel_size", "kernel")
    if p.global_pooling:
        ctx.check(window is None, "global_pooling is true and a kernel is given", kernel)
        ctx.check(
            (stride, pad) == ((1, 1), (0, 0)),
            "global pooling takes stride 1 and pad 0 only",
            _field(ctx, "stride", "stride") if stride != (1, 1) else _field(ctx, "pad", "pad"),
        )
        window = (h, w)
    if window is None:
        raise ctx.error("kernel_size is missing", "kernel_size", "as the Pooling layer has it")
    ctx.check(min(window) > 0, f"the kernel is {window[0]}x{window[1]}", kernel, "1 or more")
    ctx.check(min(stride) > 0, "the stride is 0", _field(ctx, "stride", "stride"), "1 or more")
    place = _field(ctx, "pad", "pad")
    if pad != (0, 0):
        ctx.check(p.pool == "MAX", f"padding is for MAX, not {p.pool}", place)
        ctx.check(
            pad[0] < window[0] and pad[1] < window[1],
            f"pad {pad[0]}x{pad[1]} is not smaller than the kernel {window[0]}x{window[1]}",
            place,
        )
    return _Geometry(window, stride, pad, _extents(ctx, window, stride, pad))


def _extents(ctx: LayerContext, window: Pair, stride: Pair, pad: Pair) -> Pair:
    """As given, else the largest image that pools to the bottom, and never less than one more than
    the windows that lie side by side."""
    p = ctx.param
    given: Sequence[int | None] = (p.get("unpool_h"), p.get("unpool_w"))
    if p.has("unpool_size"):
        given = (p.unpool_size[0],) * 2
    extents = []
    for d, k, s, a, size in zip(ctx.x.shape[2:], window, stride, pad, given, strict=True):
        if size is None:
            size = larger(d * s + larger(k - s - 2 * a, 1 - a), 1)
        ctx.check(size <= _LARGEST, f"unpool_size is {size}", _field(ctx, "unpool_size", "unpool"))
        extents.append(larger(size, 1))
    return extents[0], extents[1]


@layer(
    "UnPooling",
    param="unpooling_param",
    message=MESSAGE,
    bottoms=(1, 2),
    no_gradient_to=(1,),
    fork="MyCaffe",
    note="AVE fills the whole top (MyCaffe no more elements than the bottom has), and with a mask "
    "every element gets the gradient of its place (in MyCaffe only one whose place does not lie "
    "behind the start of its window). A place beyond the top is left out.",
)
def lower_unpooling(ctx: LayerContext) -> Value:
    """MAX: every element (N, C, h, w) where the mask says, Pooling's second top (h * W + w), or
    without one at the start of its window; zeros elsewhere. AVE: every element spread evenly over
    its window.

    Where it is not said, the top's extent is max((h - 1) * stride + kernel - 2 * pad,
    h * stride - pad + 1).
    MyCaffe: MyCaffe.layers.beta/layers.beta/UnPoolingLayer.cs, CudaDnnDLL (unpooling_fwd).
    """
    p, x = ctx.param, ctx.x
    ctx.check(
        x.type.rank == 4,
        f"4 axes are needed, '{ctx.layer.bottom[0]}' has shape {list(x.shape)}",
        "bottom",
    )
    ctx.check(p.pool in ("MAX", "AVE"), f"pool {p.pool} has no way back", "pool", "MAX or AVE")
    g = _geometry(ctx)
    if len(ctx.bottoms) == 1:
        return _averages(ctx, g) if p.pool == "AVE" else _starts(ctx, g)
    mask = ctx.bottoms[1]
    ctx.check(p.pool == "MAX", "a mask is for MAX, not AVE", "bottom", index=1)
    ctx.check(
        mask.shape == x.shape,
        f"the mask has shape {list(mask.shape)}, the bottom {list(x.shape)}",
        "bottom",
        index=1,
    )
    return put_back(ctx.b, x, places_in(ctx.b, mask, g.extents), g.extents, g.stride)


def _starts(ctx: LayerContext, g: _Geometry) -> Value:
    b, x = ctx.b, ctx.x
    n, c, h, w = x.shape
    last = [(d - 1) * s for d, s in zip((h, w), g.stride, strict=True)]
    if g.pad == (0, 0) and all(at < d for at, d in zip(last, g.extents, strict=True)):
        cells = b.reshape(x, (n, c, h, 1, w, 1))
        behind = (0, 0, 0, g.stride[0] - 1, 0, g.stride[1] - 1)
        spread = b.pad(cells, (0,) * 6, behind)
        return _fitted(ctx, b.reshape(spread, (n, c, h * g.stride[0], w * g.stride[1])), g.extents)
    # Windows that begin in the padding, or beyond a smaller image, begin at its edge.
    row, column = (
        e.maximum(e.minimum(e.index(axis) * s - a, e.dyn(d - 1)), 0)
        for axis, s, a, d in zip((2, 3), g.stride, g.pad, g.extents, strict=True)
    )
    place = b.map(row * e.dyn(g.extents[1]) + column, shape=x.shape)
    return put_back(b, x, place, g.extents, g.stride)


def _averages(ctx: LayerContext, g: _Geometry) -> Value:
    b, x = ctx.b, ctx.x
    window: Pair = (int(g.window[0]), int(g.window[1]))
    # What lies beyond the top does not count.
    sides = [
        e.maximum(e.minimum(e.index(axis) * s + k, e.dyn(d)) - e.index(axis) * s, 1)
        for axis, s, k, d in zip((2, 3), g.stride, window, g.extents, strict=True)
    ]
    share = b.map(e.arg(0) / e.to_float(sides[0] * sides[1]), x)
    full = [(d - 1) * s + k for d, s, k in zip(x.shape[2:], g.stride, window, strict=True)]
    none, shape = (0,) * 4, (*x.shape[:2], *full)
    spread = b.emit(WindowSpread((1, 1, *window), (1, 1, *g.stride), none, none, shape), share)
    return _fitted(ctx, spread, g.extents)


def _fitted(ctx: LayerContext, image: Value, extents: Pair) -> Value:
    """The image with zeros behind, or its first part, so that it has these extents."""
    b = ctx.b
    for axis, extent in zip((2, 3), extents, strict=True):
        have = image.shape[axis]
        if have < extent:
            behind = [0] * 4
            behind[axis] = extent - have
            image = b.pad(image, (0,) * 4, behind)
        elif have > extent:
            image = b.slice(image, axis, 0, extent)
    return image

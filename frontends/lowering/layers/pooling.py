"""Pooling: maximum, average and stochastic, and SPP, which pools at several scales.

Caffe: src/caffe/layers/pooling_layer.cpp.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.ops.window import WindowMax, WindowSum
from ir.size import smaller
from ir.types import F32, I32

from ..context import LayerContext
from ..registry import layer
from ..uneven_padding import (
    PADDING_FIELDS,
    is_same_padding,
    same_padding,
    uneven_padding,
)
from ..window_taps import window_taps


@dataclass(frozen=True)
class Pooled:
    """How windows lie on an image; one entry per spatial axis (height, width).

    ``whole``: the window is the image, and there is one. ``overhang``: whether windows may
    reach beyond the padded image, which ceil rounding does at some sizes. ``behind``: the
    padding at the bottom and on the right, where it differs from ``pad``, that above and left.
    """

    window: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    ceil: bool
    whole: bool = False
    behind: tuple[int, int] | None = None

    @property
    def ends(self) -> tuple[int, int]:
        """The padding at the bottom and on the right."""
        return self.pad if self.behind is None else self.behind

    @property
    def padded(self) -> bool:
        return self.behind is not None or any(self.pad)

    @property
    def overhang(self) -> bool:
        return self.ceil and self.stride != (1, 1)

    def outputs(self, extents: Sequence[int]) -> tuple[int, ...]:
        """How many windows there are. Caffe: PoolingLayer::Reshape."""
        out = []
        for d, k, s, p, q in zip(
            extents, self.window, self.stride, self.pad, self.ends, strict=True
        ):
            span = d + p + q - k
            count = (-(-span // s) if self.ceil else span // s) + 1
            if self.padded:  # no window begins in the padding
                count = smaller(count, -(-(d + p) // s))
            out.append(count)
        return tuple(out)


def _pair(ctx: LayerContext, name: str, start: str) -> tuple[int, int]:
    """A square parameter, or one for each of height and width, which need each other."""
    p = ctx.param
    fields = (f"{start}_h", f"{start}_w")
    given = [f for f in fields if p.has(f)]
    if not given:
        return (p[name], p[name])
    ctx.check(not p.has(name), f"both {name} and {given[0]} are given", given[0], "give one")
    ctx.check(
        len(given) == 2, f"{given[0]} is given without the other of {fields[0]} and {fields[1]}",
        given[0], "give both",
    )  # fmt: skip
    return (p[fields[0]], p[fields[1]])


def _geometry(ctx: LayerContext) -> Pooled:
    p = ctx.param
    has_kernel = p.has("kernel_size") or p.has("kernel_h") or p.has("kernel_w")
    stride, pad = _pair(ctx, "stride", "stride"), _pair(ctx, "pad", "pad")
    if p.global_pooling:
        field = next((f for f in ("kernel_size", "kernel_h", "kernel_w") if p.has(f)), None)
        ctx.check(not has_kernel, "global_pooling is true and a kernel is given", field)
        for name, pair, plain in (("stride", stride, (1, 1)), ("pad", pad, (0, 0))):
            field = name if p.has(name) else f"{name}_h"
            ctx.check(pair == plain, f"global pooling takes {name} {plain[0]} only", field)
        h, w = ctx.x.shape[2:]
        return Pooled((h, w), (1, 1), (0, 0), False, whole=True)
    ctx.check(
        has_kernel, "kernel_size is missing", "kernel_size", "give kernel_size, or global_pooling"
    )
    window = _pair(ctx, "kernel_size", "kernel")
    field = "kernel_size" if p.has("kernel_size") else "kernel_h"
    ctx.check(min(window) > 0, f"the kernel is {window[0]}x{window[1]}", field, "1 or more")
    ctx.check(min(stride) > 0, "the stride is 0", "stride" if p.has("stride") else "stride_h")
    field = "pad" if p.has("pad") else "pad_h"
    if any(pad):
        ctx.check(p.pool != "STOCHASTIC", "stochastic pooling takes no padding", field)
    ctx.check(
        all(a < k for a, k in zip(pad, window, strict=True)),
        f"pad {pad[0]}x{pad[1]} is not smaller than the kernel {window[0]}x{window[1]}",
        field,
        "a window may not lie in the padding alone",
    )
    ceil = _ceil(ctx)
    if is_same_padding(ctx):
        (top, bottom), (left, right) = same_padding(ctx.x.shape[2:], window, stride)
        return Pooled(window, stride, (top, left), False, behind=(bottom, right))
    sides = uneven_padding(ctx, 2)
    if sides is None:
        return Pooled(window, stride, pad, ceil)
    before, behind = (sides[0][0], sides[1][0]), (sides[0][1], sides[1][1])
    ctx.check(
        before[0] < window[0] and before[1] < window[1],
        f"padding {before[0]}x{before[1]} is not smaller than the kernel {window[0]}x{window[1]}",
        next(field for field in PADDING_FIELDS if p.has(field)),
        "a window may not lie in the padding alone",
    )
    return Pooled(window, stride, before, ceil, behind=behind)


def _ceil(ctx: LayerContext) -> bool:
    p = ctx.param
    # Forks spell FLOOR as ceil_mode: false.
    if p.has("ceil_mode") and not p.has("round_mode"):
        return bool(p.ceil_mode)
    return bool(p.round_mode == "CEIL")


@layer(
    "Pooling",
    param="pooling_param",
    tops=(1, 2),
    in_place=True,
    # torch_pooling has no effect in its fork, either.
    fork_fields=("ceil_mode", "torch_pooling", "avg_include_pad", "pool", *PADDING_FIELDS),
    note="STOCHASTIC runs on every device (Caffe: on GPUs only); its gradient in phase TEST is "
    "that of the weighted mean. A window that holds nothing but overhang averages to 0. "
    "In place, later layers read what is pooled, as on a GPU, where each element is read before it "
    "is written over; Caffe on a CPU would write first. With padding neither holds: refused.",
    coordinates="windows",
)
def lower_pooling(ctx: LayerContext) -> Sequence[Value]:
    """MAX (second top: place h * W + w of each maximum), AVE or STOCHASTIC over windows.

    AVE divides by what a window covers of the padded image. AVE_EXC_PAD, which is also called
    AVE_TF (synopsys-caffe), and avg_include_pad: false (intel/caffe) leave the padding out.
    """
    p, x = ctx.param, ctx.x
    ctx.check(
        x.type.rank == 4,
        f"pooling takes 4 axes (batch, channels, height, width), the bottom has shape "
        f"{list(x.shape)}",
        "bottom",
    )
    ctx.check(
        ctx.top_count == 1 or p.pool == "MAX",
        f"a second top (places of the maxima) is for MAX pooling, not {p.pool}",
        "top",
        index=1,
    )
    geometry = _geometry(ctx)
    # Where nothing is padded, window i reads none of the elements 0 to i - 1.
    ctx.check(
        not geometry.padded or ctx.tops[0] != ctx.layer.bottom[0],
        f"with padding a Pooling layer cannot write its top over its bottom '{ctx.tops[0]}': "
        "windows would read what others have written",
        "top",
        "give the top a name of its own",
    )
    if not all(count > 0 for count in geometry.outputs(x.shape[2:])):
        h, w = (d + a + z for d, a, z in zip(x.shape[2:], geometry.pad, geometry.ends, strict=True))
        raise ctx.error(
            f"the kernel {geometry.window[0]}x{geometry.window[1]} is larger than the padded "
            f"input {h}x{w}",
            "kernel_size" if p.has("kernel_size") else "kernel_h",
            "make the kernel smaller, or use global_pooling",
        )
    method = p.pool
    known = ("MAX", "AVE", "STOCHASTIC", "AVE_EXC_PAD", "AVE_TF")
    ctx.check(method in known, f"pool {method} is another fork's", "pool", ", ".join(known))
    if method == "AVE_TF" or (method == "AVE" and not p.avg_include_pad):
        method = "AVE_EXC_PAD"
    return pool(ctx, x, method, geometry)


def pool(ctx: LayerContext, x: Value, method: str, geometry: Pooled) -> Sequence[Value]:
    """Pool (N, C, H, W). MAX gives the maxima and their places, as floats."""
    if method == "MAX":
        return _max_whole(ctx, x) if geometry.whole else _max(ctx, x, geometry)
    if method in ("AVE", "AVE_EXC_PAD"):
        if geometry.whole:
            return [_mean_whole(ctx, x)]
        return [_average(ctx, x, geometry, padded=method == "AVE")]
    return [_sample(ctx, x, geometry) if ctx.train else _expected(ctx, x, geometry)]


Extents = tuple[int, ...]


def _windows(x: Value, g: Pooled) -> tuple[Extents, Extents, Extents, Extents]:
    """window, stride, low, high of a window op over (N, C, H, W)."""
    high = tuple(
        (out - 1) * s + k - d - p
        for out, d, k, s, p in zip(
            g.outputs(x.shape[2:]), x.shape[2:], g.window, g.stride, g.pad, strict=True
        )
    )
    return (1, 1, *g.window), (1, 1, *g.stride), (0, 0, *g.pad), (0, 0, *high)


def _max(ctx: LayerContext, x: Value, g: Pooled) -> Sequence[Value]:
    largest, place = ctx.b.emit_all(WindowMax(*_windows(x, g)), x)
    if ctx.top_count == 1:
        return [largest]
    return [largest, ctx.b.map(e.to_float(e.arg(0, I32)), place)]


def _max_whole(ctx: LayerContext, x: Value) -> Sequence[Value]:
    b = ctx.b
    n, c, h, w = x.shape
    rows = b.reshape(x, (n, c, h * w))
    largest = b.reduce("max", rows, (2,))
    place = b.emit(ArgExtreme("max", 2), rows)
    # The first of equal maxima gets the whole gradient, as in Caffe. The sum that says so is
    # never computed: only its derivative is used.
    here = e.equal(e.index(2), e.arg(1, I32))
    picked = b.sum(b.map(e.where(here, e.arg(0), 0.0), rows, place), (2,))
    y = b.map(e.grad_as(e.arg(0), e.arg(1)), largest, picked)
    tops = [b.reshape(y, (n, c, 1, 1))]
    if ctx.top_count == 2:
        tops.append(b.reshape(b.map(e.to_float(e.arg(0, I32)), place), (n, c, 1, 1)))
    return tops


def _mean_whole(ctx: LayerContext, x: Value) -> Value:
    count = e.dyn(math.prod(x.shape[2:]), F32)
    return ctx.b.map(e.arg(0) / count, ctx.b.sum(x, (2, 3)))


def _average(ctx: LayerContext, x: Value, g: Pooled, *, padded: bool) -> Value:
    total = ctx.b.emit(WindowSum(*_windows(x, g)), x)
    return ctx.b.map(e.arg(0) / (_divisor(x, g) if padded else _elements(x, g)), total)


def _elements(x: Value, g: Pooled) -> Expr:
    """Elements of a window that lie in the image; at least 1."""
    if not g.padded and not g.overhang:
        return e.const(float(math.prod(g.window)))
    sides = []
    for axis, k, s, p in zip((2, 3), g.window, g.stride, g.pad, strict=True):
        start = e.index(axis) * s - p
        inside = e.minimum(start + k, e.dyn(x.shape[axis])) - e.maximum(start, 0)
        sides.append(e.maximum(inside, 1))
    return e.to_float(sides[0] * sides[1])


def _divisor(x: Value, g: Pooled) -> Expr:
    """Elements of a window, padding included, but not what lies beyond the padded image."""
    if not g.overhang:
        return e.const(float(math.prod(g.window)))
    sides = []
    for axis, k, s, p, q in zip((2, 3), g.window, g.stride, g.pad, g.ends, strict=True):
        left = e.dyn(x.shape[axis] + p + q) - e.index(axis) * s
        inside = e.minimum(left, k)
        sides.append(e.maximum(inside, 1) if s > k else inside)
    return e.to_float(sides[0] * sides[1])


def _taps(ctx: LayerContext, x: Value, g: Pooled) -> list[Value]:
    """One value per place of the window: what every window has there (0 beyond the image)."""
    _, _, low, high = _windows(x, g)
    padded = ctx.b.pad(x, low, high)
    return window_taps(ctx.b, padded, g.window, g.stride, (1, 1), g.outputs(x.shape[2:]))


def _sample(ctx: LayerContext, x: Value, g: Pooled) -> Value:
    """One element of each window, drawn with probability proportional to its value."""
    taps = _taps(ctx, x, g)
    u, random = ctx.uniform(len(taps), 4)
    sums = list(itertools.accumulate(e.arg(i) for i in range(len(taps))))
    threshold = u * sums[-1]
    chosen: Expr = e.const(0.0)
    for i, total in reversed(list(enumerate(sums))):
        chosen = e.where(total >= threshold, e.arg(i), chosen)
    return ctx.b.map(chosen, *taps, *random)


def _expected(ctx: LayerContext, x: Value, g: Pooled) -> Value:
    """The mean of each window, weighted by the values themselves."""
    b = ctx.b
    op = WindowSum(*_windows(x, g))
    total, squares = b.emit(op, x), b.emit(op, b.map(e.arg(0) * e.arg(0), x))
    positive = e.arg(1) > 0.0
    mean = e.arg(0) / e.where(positive, e.arg(1), 1.0)
    return b.map(e.where(positive, mean, 0.0), squares, total)


@layer("SPP", param="spp_param")
def lower_spp(ctx: LayerContext) -> Value:
    """Spatial pyramid pooling: 1, 4, 16 ... bins per channel, flattened and joined.

    With pyramid_height 1 the top keeps four axes. Caffe: src/caffe/layers/spp_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    ctx.check(x.type.rank == 4, f"SPP takes 4 axes, the bottom has shape {list(x.shape)}", "bottom")
    levels = p.pyramid_height
    ctx.check(levels > 0, "pyramid_height is missing or 0", "pyramid_height")
    pooled = []
    for level in range(levels):
        geometry = _bins(ctx, 2**level)
        ctx.check(
            p.pool != "STOCHASTIC" or not any(geometry.pad),
            f"stochastic pooling takes no padding, which {2**level} bins need here",
            "pool",
        )
        pooled.append(pool(ctx, x, p.pool, geometry)[0])
    if levels == 1:
        return pooled[0]
    return b.concat([b.reshape(y, (x.shape[0], math.prod(y.shape[1:]))) for y in pooled], 1)


def _bins(ctx: LayerContext, bins: int) -> Pooled:
    h, w = ctx.x.shape[2:] if bins == 1 else map(int, ctx.x.shape[2:])  # they make the windows
    window = (-(-h // bins), -(-w // bins))
    pad = ((window[0] * bins - h + 1) // 2, (window[1] * bins - w + 1) // 2)
    ctx.check(
        pad[0] < window[0] and pad[1] < window[1],
        f"an image of {h}x{w} does not divide into {bins}x{bins} bins",
        "pyramid_height",
        "lower it",
    )
    return Pooled(window, window, pad, ceil=True, whole=bins == 1)

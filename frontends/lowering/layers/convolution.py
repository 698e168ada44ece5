"""Convolution, Deconvolution and Im2col over any number of spatial axes.

Caffe: src/caffe/layers/base_conv_layer.cpp. ``engine`` and ``force_nd_im2col`` choose among
implementations there and are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ir import expr as e
from ir.build import expand
from ir.graph import Value
from ir.ops.convolution import Conv, ConvInputGrad, conv_output_extent

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
class WindowGeometry:
    """One entry per spatial axis of window, stride, pad and dilation."""

    window: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]

    def outputs(self, extents: Sequence[int]) -> tuple[int, ...]:
        """Extents of a convolution's result; not positive where the window does not fit."""
        return tuple(
            conv_output_extent(*sizes)
            for sizes in zip(
                extents, self.window, self.stride, self.pad, self.dilation, strict=True
            )
        )

    def spread(self, extents: Sequence[int]) -> tuple[int, ...]:
        """Extents of a deconvolution's result. Caffe: src/caffe/layers/deconv_layer.cpp."""
        return tuple(
            s * (extent - 1) + t * (k - 1) + 1 - 2 * p
            for extent, k, s, p, t in zip(
                extents, self.window, self.stride, self.pad, self.dilation, strict=True
            )
        )


def window_geometry(ctx: LayerContext, spatial_rank: int) -> WindowGeometry:
    """Read kernel, stride, pad and dilation of a convolution_param."""
    window = _per_axis(ctx, "kernel_size", ("kernel_h", "kernel_w"), spatial_rank, None)
    stride = _per_axis(ctx, "stride", ("stride_h", "stride_w"), spatial_rank, 1)
    pad = _per_axis(ctx, "pad", ("pad_h", "pad_w"), spatial_rank, 0)
    dilation = _per_axis(ctx, "dilation", ("dilation_h", "dilation_w"), spatial_rank, 1)
    return WindowGeometry(window, stride, pad, dilation)


def _per_axis(
    ctx: LayerContext,
    name: str,
    by_axis: tuple[str, str],
    spatial_rank: int,
    default: int | None,
) -> tuple[int, ...]:
    p = ctx.param
    given: list[int] = p[name]
    named = next((field for field in by_axis if p.has(field)), None)
    if named is not None:
        ctx.check(
            spatial_rank == 2,
            f"{by_axis[0]} and {by_axis[1]} are for 2 spatial axes, the bottom has {spatial_rank}",
            named,
            f"give {name} once per spatial axis",
        )
        ctx.check(not given, f"both {name} and {named} are given", named, "give one of the two")
        values = [p[field] for field in by_axis]
    else:
        if not given and default is not None:
            given = [default]
        ctx.check(
            len(given) in (1, spatial_rank),
            f"{name} is missing"
            if not given
            else f"{name} is given {len(given)} times for {spatial_rank} spatial axes",
            name,
            f"give {name} once, or once per spatial axis",
        )
        values = given * spatial_rank if len(given) == 1 else given
    if name != "pad" and 0 in values:
        zero = by_axis[values.index(0)] if named is not None else name
        raise ctx.error(f"{zero} is 0", zero if p.has(zero) else named, "it must be at least 1")
    return tuple(values)


@dataclass(frozen=True)
class _Setup:
    """What both kinds of convolution share: geometry, parameters, and how bottoms are viewed."""

    axis: int
    geometry: WindowGeometry
    weights: Value
    bias: Value | None
    group: int

    def view(self, ctx: LayerContext, x: Value) -> Value:
        """A bottom as (batch, channels, spatial...); without spatial axes, one of extent 1."""
        lead, (channels, *rest) = x.shape[: self.axis], x.shape[self.axis :]
        return ctx.b.reshape(x, (math.prod(lead), int(channels), *(rest or (1,))))

    def top(self, ctx: LayerContext, x: Value, y: Value) -> Value:
        """Add the bias and give the result the bottom's leading axes."""
        b = ctx.b
        if self.bias is not None:
            y = b.map(e.arg(0) + e.arg(1), y, expand(b, self.bias, y.type.rank, 1))
        flat = x.type.rank == self.axis + 1
        return b.reshape(y, (*x.shape[: self.axis], *(y.shape[1:2] if flat else y.shape[1:])))


def _setup(ctx: LayerContext, outputs: int, group: int, *, transposed: bool = False) -> _Setup:
    p, b, x = ctx.param, ctx.b, ctx.x
    ctx.check_bottoms_alike()
    axis = ctx.axis(p.axis)
    rank = x.type.rank - axis - 1
    geometry = window_geometry(ctx, rank)
    channels = int(x.shape[axis])
    ctx.check(outputs > 0, "num_output is missing or 0", "num_output", "give the number of outputs")
    ctx.check(group > 0, "group is 0", "group", "it must be at least 1")
    ctx.check(
        channels % group == 0,
        f"{channels} input channels do not divide into {group} groups",
        "group",
    )
    ctx.check(
        outputs % group == 0, f"num_output {outputs} does not divide into {group} groups", "group"
    )
    shape = (channels, outputs // group) if transposed else (outputs, channels // group)
    weights = ctx.parameter((*shape, *geometry.window), p.weight_filler)
    bias = ctx.parameter((outputs,), p.bias_filler) if p.bias_term else None
    if rank == 0:
        weights = b.reshape(weights, (*shape, 1))
        geometry = WindowGeometry((1,), (1,), (0,), (1,))
    return _Setup(axis, geometry, weights, bias, group)


def check_window_fits(ctx: LayerContext, geometry: WindowGeometry, extents: Sequence[int]) -> None:
    """Raises RoasteryError unless every output extent is positive."""
    if all(d > 0 for d in geometry.outputs(extents)):
        return
    field = "kernel_h" if ctx.param.has("kernel_h") else "kernel_size"
    spans = [t * (k - 1) + 1 for k, t in zip(geometry.window, geometry.dilation, strict=True)]
    padded = [d + 2 * p for d, p in zip(extents, geometry.pad, strict=True)]
    raise ctx.error(
        f"the window {spans} is larger than the padded input {padded}",
        field,
        "make the kernel smaller, add padding, or check the input's shape",
    )


@layer(
    "Convolution",
    param="convolution_param",
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    fork_fields=("dilation_h", "dilation_w", *PADDING_FIELDS),
    coordinates="windows",
)
def lower_convolution(ctx: LayerContext) -> Sequence[Value]:
    """Correlation with weights (outputs, channels / group, window...), plus a bias per output.

    All bottoms share the weights. Caffe: src/caffe/layers/conv_layer.cpp.
    """
    return convolve(ctx, ctx.param.num_output, ctx.param.group)


def convolve(ctx: LayerContext, outputs: int, group: int) -> Sequence[Value]:
    """Convolve every bottom with one set of weights; adds the layer's parameters."""
    setup = _setup(ctx, outputs, group)
    tops = []
    for x in ctx.bottoms:
        rows = setup.view(ctx, x)
        rows, g = _padded(ctx, rows, setup.geometry)
        check_window_fits(ctx, g, rows.shape[2:])
        op = Conv(g.stride, g.pad, g.dilation, setup.group)
        tops.append(setup.top(ctx, x, ctx.b.emit(op, rows, setup.weights)))
    return tops


def _padded(ctx: LayerContext, x: Value, g: WindowGeometry) -> tuple[Value, WindowGeometry]:
    """The bottom with what a side has more than its opposite, and the padding of both sides."""
    sides = uneven_padding(ctx, len(g.window))
    if is_same_padding(ctx):
        ctx.check(len(g.window) == 2, "pad_type is for 2 spatial axes", "pad_type")
        (top, bottom), (left, right) = same_padding(x.shape[2:], g.window, g.stride)
        return ctx.b.pad(x, (0, 0, top, left), (0, 0, bottom, right)), g
    if sides is None:
        return x, g
    even, before, behind = _split(sides)
    if any(before) or any(behind):
        x = ctx.b.pad(x, (0, 0, *before), (0, 0, *behind))
    return x, replace(g, pad=even)


def _split(
    sides: Sequence[tuple[int, int]],
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """What both sides have in common, and what is left before and behind."""
    even = tuple(min(side) for side in sides)
    before = tuple(side[0] - common for side, common in zip(sides, even, strict=True))
    behind = tuple(side[1] - common for side, common in zip(sides, even, strict=True))
    return even, before, behind


@layer(
    "Deconvolution",
    param="convolution_param",
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    fork_fields=("dilation_h", "dilation_w", "pad_l", "pad_r", "pad_t", "pad_b"),
    coordinates="spread",
)
def lower_deconvolution(ctx: LayerContext) -> Sequence[Value]:
    """The transpose of a convolution with weights (channels, outputs / group, window...).

    Caffe: src/caffe/layers/deconv_layer.cpp.
    """
    p = ctx.param
    setup = _setup(ctx, p.num_output, p.group, transposed=True)
    g = setup.geometry
    sides = uneven_padding(ctx, len(g.window)) or tuple((pad, pad) for pad in g.pad)
    even, before, behind = _split(sides)
    g = replace(g, pad=even)
    tops = []
    for x in ctx.bottoms:
        rows = setup.view(ctx, x)
        spatial = g.spread(rows.shape[2:])
        left = [d - a - z for d, a, z in zip(spatial, before, behind, strict=True)]
        ctx.check(
            all(d > 0 for d in left),
            f"padding {list(map(sum, sides))} leaves nothing of the output: {left}",
            next((field for field in ("pad_h", *PADDING_FIELDS) if p.has(field)), "pad"),
        )
        op = ConvInputGrad(g.stride, g.pad, g.dilation, setup.group, spatial)
        y = ctx.b.emit(op, rows, setup.weights)
        if any(before) or any(behind):
            y = ctx.b.pad(y, (0, 0, *(-a for a in before)), (0, 0, *(-z for z in behind)))
        tops.append(setup.top(ctx, x, y))
    return tops


@layer(
    "Im2col",
    param="convolution_param",
    fork_fields=("dilation_h", "dilation_w"),
    coordinates="windows",
)
def lower_im2col(ctx: LayerContext) -> Value:
    """Every window laid out along the channel axis: (N, C * window, positions...).

    Caffe: src/caffe/layers/im2col_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    axis = ctx.axis(ctx.param.axis)
    g = window_geometry(ctx, x.type.rank - axis - 1)
    check_window_fits(ctx, g, x.shape[axis + 1 :])
    around = [0] * (axis + 1) + list(g.pad)
    out = g.outputs(x.shape[axis + 1 :])
    taps = window_taps(b, b.pad(x, around, around), g.window, g.stride, g.dilation, out)
    lead, channels = x.shape[:axis], x.shape[axis]
    stacked = b.concat([b.reshape(v, (*lead, channels, 1, *out)) for v in taps], axis + 1)
    return b.reshape(stacked, (*lead, channels * len(taps), *out))

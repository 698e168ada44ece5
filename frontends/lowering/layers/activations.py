"""Layers that are one scalar expression. Caffe: src/caffe/layers/<name>_layer.cpp."""

from __future__ import annotations

import math

from ir import expr as e
from ir.build import expand
from ir.expr import Expr
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

_IN_PLACE = "In place, the gradient is the true one (Caffe's reads the overwritten input)."


@layer(
    "ReLU",
    param="relu_param",
    in_place=True,
    fork_fields=("relu6", "maximum", "minimum"),
    coordinates="kept",
)
def lower_relu(ctx: LayerContext) -> Value:
    """max(x, 0) + negative_slope * min(x, 0).

    A fork limits that to 6 (``relu6``), to a ``maximum`` above 0 and a ``minimum`` other than 0
    (synopsys-caffe: src/caffe/layers/relu_layer.cpp).
    """
    p, x = ctx.param, e.arg(0)
    slope = p.negative_slope
    y = e.maximum(x, 0.0) if slope == 0.0 else e.where(x > 0.0, x, x * slope)
    if p.relu6:
        y = e.minimum(y, 6.0)
    if p.maximum > 0.0:
        y = e.minimum(y, p.maximum)
    if p.minimum != 0.0:
        y = e.maximum(y, p.minimum)
    return ctx.b.map(y, ctx.x)


@layer("PReLU", param="prelu_param", in_place=True, coordinates="kept")
def lower_prelu(ctx: LayerContext) -> Value:
    """ReLU whose negative slope is learned, per channel or for all of them."""
    p, rank = ctx.param, ctx.x.type.rank
    ctx.check(rank >= 2, f"PReLU takes 2 or more axes, the bottom has {rank}", "bottom")
    shape = () if p.channel_shared else (ctx.x.shape[1],)
    slope = ctx.parameter(shape, p.filler if p.has("filler") else 0.25)
    small = expand(ctx.b, slope, rank, 0 if p.channel_shared else 1)
    x = e.arg(0)
    return ctx.b.map(e.where(x > 0.0, x, x * e.arg(1)), ctx.x, small)


@layer("ELU", param="elu_param", in_place=True, coordinates="kept")
def lower_elu(ctx: LayerContext) -> Value:
    """x above 0, alpha * (exp(x) - 1) below."""
    x, alpha = e.arg(0), ctx.param.alpha
    # The minimum keeps exp, and its derivative where it is not chosen, finite; of its equal
    # operands the second gets the gradient, so that the slope at 0 is alpha, as in Caffe.
    below = e.unary("expm1", e.minimum(0.0, x)) * alpha
    return ctx.b.map(e.where(x > 0.0, x, below), ctx.x)


@layer("Sigmoid", param="sigmoid_param", in_place=True, coordinates="kept")
def lower_sigmoid(ctx: LayerContext) -> Value:
    """1 / (1 + exp(-x))."""
    return ctx.b.map(e.sigmoid(e.arg(0)), ctx.x)


@layer("TanH", param="tanh_param", in_place=True, coordinates="kept")
def lower_tanh(ctx: LayerContext) -> Value:
    """tanh(x)."""
    return ctx.b.map(e.tanh(e.arg(0)), ctx.x)


@layer("AbsVal", coordinates="kept")
def lower_absval(ctx: LayerContext) -> Value:
    """|x|, with slope 0 at 0."""
    return ctx.b.map(e.absolute(e.arg(0)), ctx.x)


@layer("BNLL", in_place=True, note=_IN_PLACE, coordinates="kept")
def lower_bnll(ctx: LayerContext) -> Value:
    """log(1 + exp(x))."""
    x = e.arg(0)
    value = e.maximum(x, 0.0) + e.unary("log1p", e.exp(-e.absolute(x)))
    return ctx.b.map(e.grad_as(value, x * e.stop(e.sigmoid(x))), ctx.x)


@layer("Swish", param="swish_param", in_place=True, coordinates="kept")
def lower_swish(ctx: LayerContext) -> Value:
    """x * sigmoid(beta * x)."""
    x = e.arg(0)
    return ctx.b.map(x * e.sigmoid(x * ctx.param.beta), ctx.x)


@layer("Clip", param="clip_param", in_place=True, note=_IN_PLACE, coordinates="kept")
def lower_clip(ctx: LayerContext) -> Value:
    """x limited to [min, max]; the slope is 1 at both ends."""
    low, high = ctx.param.min, ctx.param.max
    ctx.check(low <= high, f"min {low:g} is above max {high:g}", "min")
    return ctx.b.map(e.maximum(low, e.minimum(high, e.arg(0))), ctx.x)


@layer("Power", param="power_param", in_place=True, note=_IN_PLACE, coordinates="kept")
def lower_power(ctx: LayerContext) -> Value:
    """(shift + scale * x) ** power; a constant where power or scale is 0."""
    p = ctx.param
    if p.power * p.scale == 0.0:
        value = 1.0 if p.power == 0.0 else _constant_power(ctx, p.shift, p.power)
        return ctx.b.fill(value, ctx.x.shape)
    base = e.arg(0) * p.scale + p.shift
    return ctx.b.map(base * base if p.power == 2.0 else e.power(base, p.power), ctx.x)


def _constant_power(ctx: LayerContext, base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except (ValueError, OverflowError):
        raise ctx.error(
            f"with scale 0 every element is shift ** power = {base:g} ** {exponent:g}, "
            "which is not a number",
            "power",
        ) from None


def _log_of_base(ctx: LayerContext) -> float:
    """Natural logarithm of ``base``; -1 stands for e."""
    base = ctx.param.base
    if base == -1.0:
        return 1.0
    ctx.check(base > 0.0, f"base {base:g} is not positive", "base", "leave it out for e")
    return math.log(base)


@layer("Exp", param="exp_param", in_place=True, coordinates="kept")
def lower_exp(ctx: LayerContext) -> Value:
    """base ** (shift + scale * x)."""
    p, log_base = ctx.param, _log_of_base(ctx)
    try:
        factor = math.exp(log_base * p.shift)
    except OverflowError:
        raise ctx.error(f"base ** shift, with shift {p.shift:g}, is no float", "shift") from None
    return ctx.b.map(e.exp(e.arg(0) * (log_base * p.scale)) * factor, ctx.x)


@layer("Log", param="log_param", in_place=True, note=_IN_PLACE, coordinates="kept")
def lower_log(ctx: LayerContext) -> Value:
    """Logarithm to ``base`` of shift + scale * x."""
    p, log_base = ctx.param, _log_of_base(ctx)
    ctx.check(log_base != 0.0, "there is no logarithm to base 1", "base")
    return ctx.b.map(e.log(e.arg(0) * p.scale + p.shift) * (1.0 / log_base), ctx.x)


@layer("Threshold", param="threshold_param", in_place=True, coordinates="kept")
def lower_threshold(ctx: LayerContext) -> Value:
    """1 above the threshold, 0 elsewhere; no gradient."""
    above: Expr = e.arg(0) > ctx.param.threshold
    return ctx.b.map(e.where(above, 1.0, 0.0), ctx.x)

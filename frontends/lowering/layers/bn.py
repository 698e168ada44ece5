"""BN: two layers of one name, SegNet's and that of yjxiong's fork, which PSPNet and ICNet use."""

from __future__ import annotations

import math
from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import enum, optional
from ir import expr as e
from ir.graph import Value
from ir.size import larger
from ir.types import F32

from ..context import LayerContext
from ..rank_statistics import over_ranks
from ..registry import layer

MESSAGE = declare_message(
    "BNParameter",
    enum("BNMode", LEARN=0, INFERENCE=1),
    optional("FillerParameter", "slope_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("float", "momentum", default=0.9),
    optional("float", "eps", default=1e-05),
    optional("bool", "frozen", default=False),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("BNMode", "bn_mode", default="LEARN"),
    optional("FillerParameter", "scale_filler"),
    optional("FillerParameter", "shift_filler"),
    optional("bool", "icnet", default=False),
    optional("float", "var_eps", default=1e-10),
    optional("bool", "moving_average", default=True),
    optional("float", "decay", default=0.95),
)
_SEGNET = ("scale_filler", "shift_filler", "bn_mode")
_PSPNET = ("slope_filler", "bias_filler", "momentum", "eps", "frozen", "engine")
_OLDER = ("var_eps", "moving_average", "decay")

_SEGNET_EPS = 1e-9


@layer(
    "BN",
    param="bn_param",
    message=MESSAGE,
    tops=(1, 3),
    in_place=True,
    fork="SegNet, PSPNet",
    coordinates="kept",
    note="Two layers have this name. `scale_filler`, `shift_filler`, `bn_mode` or a second top "
    "tell SegNet's (2 blobs), `slope_filler`, `bias_filler`, `momentum`, `eps`, `frozen` or "
    "`engine` PSPNet's (4 blobs); `icnet`, or a dialect, says which a bare one is. Else it is "
    "SegNet's if it has two `param` entries, and PSPNet's otherwise. In phase TEST PSPNet's has "
    "the derivative for its gradient (in the fork it is that of the statistics of a batch).",
)
def lower_bn(ctx: LayerContext) -> Sequence[Value]:
    """Normalizes every channel, then scales and shifts it; parameters are (1, C, 1, 1).

    alexgkendall/caffe-segnet and hszhao/PSPNet: src/caffe/layers/bn_layer.cpp.
    """
    rank = ctx.x.type.rank
    ctx.check(2 <= rank <= 4, f"BN takes 2 to 4 axes, the bottom has {list(ctx.x.shape)}", "bottom")
    if _is_segnet(ctx):
        return _segnet(ctx)
    ctx.check(
        ctx.top_count == 1, f"PSPNet's BN has one top, {ctx.top_count} are named", "top", index=1
    )
    return [_pspnet(ctx)]


def _is_segnet(ctx: LayerContext) -> bool:
    """Whether it is SegNet's layer: see the note."""
    p = ctx.param
    for name in _OLDER:
        ctx.check(
            not p.has(name),
            f"`{name}` is a field of the BN of an older happynear/caffe-windows, which is not "
            "supported",
            name,
            "a BatchNorm layer with a Scale layer behind it computes the same",
        )
    segnet = next((name for name in _SEGNET if p.has(name)), None)
    pspnet = next((name for name in _PSPNET if p.has(name)), None)
    if segnet is not None and pspnet is not None:
        raise ctx.error(
            f"`{segnet}` is a field of SegNet's BN layer, `{pspnet}` of PSPNet's",
            segnet,
            "give the fields of one of the two only",
        )
    if p.has("icnet") and segnet is None and pspnet is None:
        return not p.icnet
    if segnet is not None or pspnet is not None:
        return segnet is not None
    return ctx.top_count > 1 or len(ctx.layer.param) == 2


def _segnet(ctx: LayerContext) -> Sequence[Value]:
    """Statistics of this batch in both phases (LEARN), or none, which its authors put into the
    parameters (INFERENCE). Tops: y, and mean and variance, through which no gradient flows."""
    p, b = ctx.param, ctx.b
    shape = ctx.x.shape
    x = b.reshape(ctx.x, shape + (1,) * (4 - len(shape)))
    size = (1, int(shape[1]), 1, 1)
    scale, shift = ctx.parameter(size, p.scale_filler), ctx.parameter(size, p.shift_filler)
    if p.bn_mode == "INFERENCE":
        ctx.check(ctx.top_count == 1, "with bn_mode INFERENCE there is no mean", "top", index=1)
        return [b.map(e.arg(0) * e.arg(1) + e.arg(2), x, scale, shift)]
    mean, variance = _statistics(ctx, x)
    deviation = (e.arg(0) - e.arg(1)) / e.sqrt(e.arg(2) + e.const(_SEGNET_EPS))
    y = b.map(deviation * e.arg(3) + e.arg(4), x, mean, variance, scale, shift)
    if ctx.top_count == 1:
        return [y]
    return [y, *(b.map(e.stop(e.arg(0)), v) for v in (mean, variance))]


def _pspnet(ctx: LayerContext) -> Value:
    """Statistics of this batch in phase TRAIN, and their running means in TEST or if frozen, when
    nothing learns."""
    p, b, x = ctx.param, ctx.b, ctx.x
    ctx.check(0.0 <= p.momentum <= 1.0, f"momentum is {p.momentum:g}", "momentum", "0 to 1")
    size = (1, int(x.shape[1]), 1, 1)
    started = 1.0 if p.frozen else 0.0
    slope, bias = (
        ctx.parameter(size, filler, learns=not p.frozen, overrules=True)
        for filler in (p.slope_filler, p.bias_filler)
    )
    kept = [ctx.parameter(size, start, learns=False, overrules=True) for start in (0.0, started)]
    rank = x.type.rank
    across = (1, size[1], *(1,) * (rank - 2))
    if p.frozen or not ctx.train:
        mean, variance = (b.reshape(v, across) for v in kept)
    else:
        mean, variance = _statistics(ctx, x)
        momentum = p.momentum
        moved = e.arg(0) * momentum + e.arg(1) * (1.0 - momentum)
        for old, new in zip(kept, (mean, variance), strict=True):
            ctx.write(old, b.map(moved, old, b.reshape(new, size)))
    slope, bias = b.reshape(slope, across), b.reshape(bias, across)
    deviation = (e.arg(0) - e.arg(1)) / e.sqrt(e.arg(2) + e.const(p.eps))
    return b.map(deviation * e.arg(3) + e.arg(4), x, mean, variance, slope, bias)


def _statistics(ctx: LayerContext, x: Value) -> tuple[Value, Value]:
    """Mean and biased variance of every channel, in two passes; other axes stay with extent 1.
    In training they may be those of all ranks' records.

    Either fork multiplies with the rounded 1 / count, which shows in what is left of a sum that
    should be 0, as the gradient of a bias that a mean is subtracted from.
    """
    b = ctx.b
    axes = [axis for axis in range(x.type.rank) if axis != 1]
    share = e.dyn(1.0 / larger(math.prod(x.shape[a] for a in axes), 1), F32)
    mean = b.map(e.arg(0) * share, b.sum(x, axes))
    # To first order the squared deviations do not change with the mean.
    deviation = e.arg(0) - e.stop(e.arg(1))
    squares = b.map(deviation * deviation, x, mean)
    return over_ranks(ctx, mean, b.map(e.arg(0) * share, b.sum(squares, axes)))

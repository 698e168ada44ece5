"""BatchNorm and MVN: zero mean and unit variance over some axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir import expr as e
from ir.build import expand
from ir.graph import Value
from ir.size import larger
from ir.types import F32

from ..context import LayerContext
from ..registry import layer


def mean_and_variance(ctx: LayerContext, x: Value, axes: Sequence[int]) -> tuple[Value, Value]:
    """Mean and biased variance over ``axes``, in two passes; the axes stay with extent 1."""
    b = ctx.b
    count = e.dyn(math.prod(x.shape[a] for a in axes), F32)
    mean = b.map(e.arg(0) / count, b.sum(x, axes))
    # The squared deviations do not change to first order with the mean (they are smallest
    # there), so no gradient goes through it: both sums of backward then need one pass.
    deviation = e.arg(0) - e.stop(e.arg(1))
    squares = b.map(deviation * deviation, x, mean)
    return mean, b.map(e.arg(0) / count, b.sum(squares, axes))


@layer(
    "BatchNorm",
    param="batch_norm_param",
    in_place=True,
    fork_fields=("use_weight_bias",),
    coordinates="kept",
)
def lower_batch_norm(ctx: LayerContext) -> Value:
    """(x - mean) / sqrt(variance + eps) per channel; no scale or shift of its own.

    The three blobs are running sums of means and of unbiased variances, and the sum of their
    weights, by which both are divided when used. Caffe: src/caffe/layers/batch_norm_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    rank = x.type.rank
    ctx.check(rank >= 1, "the bottom is a scalar, which has no channels", "bottom")
    channels = x.shape[1] if rank > 1 else 1
    ctx.check(
        not p.get("use_weight_bias", False),
        "this BatchNorm scales and shifts, as in another fork",
        "use_weight_bias",
        "let a Scale layer with bias_term: true follow it",
    )
    sums = [ctx.parameter((size,), learns=False) for size in (channels, channels, 1)]
    shape = (1, channels, *(1,) * (rank - 2)) if rank > 1 else (1,)
    stored = p.use_global_stats if p.has("use_global_stats") else not ctx.train
    eps = e.const(p.eps)
    if stored:
        small = [expand(b, s, 1, 0) for s in sums]
        weight = e.arg(2)
        factor = e.where(
            e.equal(weight, 0.0), 0.0, 1.0 / e.where(e.equal(weight, 0.0), 1.0, weight)
        )
        mean, variance = b.maps([e.arg(0) * factor, e.arg(1) * factor], *small)
        mean, variance = b.reshape(mean, shape), b.reshape(variance, shape)
    else:
        axes = [a for a in range(rank) if a != 1]
        mean, variance = mean_and_variance(ctx, x, axes)
        _update_sums(ctx, sums, mean, variance, x.type.size // larger(channels, 1))
    deviation = e.arg(0) - e.arg(1)
    return b.map(deviation / e.sqrt(e.arg(2) + eps), x, mean, variance)


def _update_sums(
    ctx: LayerContext, sums: Sequence[Value], mean: Value, variance: Value, count: int
) -> None:
    """Decay the running sums and add this batch's mean and unbiased variance."""
    b = ctx.b
    decay = e.const(ctx.param.moving_average_fraction)
    unbiased = e.dyn(larger(count, 1) / larger(count - 1, 1))
    channels = sums[0].shape
    ctx.write(sums[0], b.map(e.arg(0) * decay + e.arg(1), sums[0], b.reshape(mean, channels)))
    ctx.write(
        sums[1],
        b.map(e.arg(0) * decay + e.arg(1) * unbiased, sums[1], b.reshape(variance, channels)),
    )
    ctx.write(sums[2], b.map(e.arg(0) * decay + 1.0, sums[2]))


@layer("MVN", param="mvn_param", in_place=True, coordinates="kept")
def lower_mvn(ctx: LayerContext) -> Value:
    """Zero mean, and unit variance if asked, per image and channel or per image.

    ``eps`` is added to the deviation, not to the variance. The top has four axes.
    Caffe: src/caffe/layers/mvn_layer.cpp.
    """
    p, b = ctx.param, ctx.b
    shape = ctx.x.shape
    ctx.check(len(shape) <= 4, f"MVN takes at most 4 axes, the bottom has {list(shape)}", "bottom")
    x = b.reshape(ctx.x, shape + (1,) * (4 - len(shape)))
    axes = (1, 2, 3) if p.across_channels else (2, 3)
    mean, variance = mean_and_variance(ctx, x, axes)
    deviation = e.arg(0) - e.arg(1)
    if not p.normalize_variance:
        return b.map(deviation, x, mean)
    spread = e.sqrt(e.arg(0)) + e.const(p.eps)
    # Caffe's gradient divides by deviation + eps where the derivative of the square root
    # divides by the deviation: the same but for eps, and finite on a constant image.
    surrogate = e.arg(0) * e.stop(e.const(0.5) / spread)
    scale = b.map(e.grad_as(spread, surrogate), variance)
    return b.map(deviation / e.arg(2), x, mean, scale)

"""Zero mean and unit variance over some axes: what BatchNorm and others share, and MVN."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value
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

"""BatchNorm, with the scale and shift that forks gave it.

Caffe: src/caffe/layers/batch_norm_layer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.build import expand
from ir.expr import Expr
from ir.graph import Value
from ir.program import FillerSpec
from ir.size import larger

from ..context import LayerContext
from ..fillers import filler_spec
from ..rank_statistics import over_ranks, rank_count
from ..registry import layer
from .normalization import mean_and_variance

_HONOURED = (
    "use_weight_bias",
    "bias_term",
    "filler",
    "scale_bias",
    "scale_filler",
    "bias_filler",
    "add_eps_before_sqrt",
    "moving_averages",
    "update_global_stats",
)


@dataclass(frozen=True)
class _Affine:
    """Scale and shift of a fork's BatchNorm: how they start; None: there is none.

    ``averages``: NVCaffe's statistics, which are averages and not sums.
    """

    scale: FillerSpec | None = None
    shift: FillerSpec | None = None
    averages: bool = False


def _affine(ctx: LayerContext) -> _Affine:
    """What a fork's fields say.

    NVCaffe scales and shifts where ``scale_bias`` is true or one of its fillers is given
    (NVIDIA/caffe: src/caffe/layers/batch_norm_layer.cpp). Intel's MKL layers do where
    ``use_weight_bias`` is true, its default there, but its plain layer never does, so that only
    a net that says so, or gives the ``filler`` that only they read, is taken at its word
    (intel/caffe: src/caffe/layers/mkldnn_batch_norm_layer.cpp).
    """
    p = ctx.param
    intel = p.has("filler") or p.has("use_weight_bias")
    nvidia = p.scale_bias or p.has("scale_filler") or (p.has("bias_filler") and not intel)
    if p.has("scale_bias") and p.has("use_weight_bias"):
        ctx.check(
            p.scale_bias == p.use_weight_bias,
            f"scale_bias is {str(p.scale_bias).lower()} and use_weight_bias is "
            f"{str(p.use_weight_bias).lower()}: they mean the same, in two forks",
            "use_weight_bias",
            "keep one of them",
        )
    if not nvidia and (not intel or (p.has("use_weight_bias") and not p.use_weight_bias)):
        return _Affine(averages=p.moving_averages)
    given = next((field for field in ("scale_filler", "filler") if p.has(field)), None)
    scale = filler_spec(p[given]) if given else FillerSpec(value=1.0)
    shift = filler_spec(p.bias_filler) if p.has("bias_filler") else FillerSpec(value=0.0)
    has_shift = nvidia or p.bias_term
    return _Affine(scale, shift if has_shift else None, averages=nvidia or p.moving_averages)


@layer(
    "BatchNorm",
    param="batch_norm_param",
    in_place=True,
    fork_fields=_HONOURED,
    note="With scale_bias (NVCaffe) statistics are averages, as cuDNN keeps them, and the third "
    "blob is 0 until there are some, then 1.",
    coordinates="kept",
)
def lower_batch_norm(ctx: LayerContext) -> Value:
    """(x - mean) / sqrt(variance + eps) per channel; scaled and shifted only where a fork says so.

    The first three blobs are running sums of means and of unbiased variances, and the sum of
    their weights, by which both are divided when used. A scale and a shift per channel are the
    fourth and fifth blob.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    rank = x.type.rank
    ctx.check(rank >= 1, "the bottom is a scalar, which has no channels", "bottom")
    channels = x.shape[1] if rank > 1 else 1
    affine = _affine(ctx)
    sums = [ctx.parameter((size,), learns=False) for size in (channels, channels, 1)]
    shape = (1, channels, *(1,) * (rank - 2)) if rank > 1 else (1,)
    if affine.averages or not p.has("use_global_stats"):
        stored = not ctx.train
    else:
        stored = p.use_global_stats
    if stored:
        mean, variance = _stored(ctx, sums)
        mean, variance = b.reshape(mean, shape), b.reshape(variance, shape)
    else:
        axes = [a for a in range(rank) if a != 1]
        mean, variance = over_ranks(ctx, *mean_and_variance(ctx, x, axes))
        if p.update_global_stats:
            count = x.type.size // larger(channels, 1) * rank_count(ctx)
            _update(ctx, sums, mean, variance, count, affine.averages)
    eps = e.const(max(p.eps, 1e-5) if affine.averages else p.eps)  # cuDNN takes no smaller one
    spread = e.sqrt(e.arg(2) + eps) if p.add_eps_before_sqrt else e.sqrt(e.arg(2)) + eps
    y = (e.arg(0) - e.arg(1)) / spread
    values = [x, mean, variance]
    if affine.scale is not None:
        y = y * e.arg(3)
        values.append(b.reshape(ctx.parameter((channels,), affine.scale), shape))
    if affine.shift is not None:
        y = y + e.arg(4)
        values.append(b.reshape(ctx.parameter((channels,), affine.shift), shape))
    return b.map(y, *values)


def _factor(weight: Expr) -> Expr:
    """1 / weight; 0 where nothing was seen."""
    none = e.equal(weight, 0.0)
    return e.where(none, 0.0, 1.0 / e.where(none, 1.0, weight))


def _stored(ctx: LayerContext, sums: Sequence[Value]) -> Sequence[Value]:
    """Mean and variance per channel as the blobs have them."""
    small = [expand(ctx.b, s, 1, 0) for s in sums]
    factor = _factor(e.arg(2))
    return ctx.b.maps([e.arg(0) * factor, e.arg(1) * factor], *small)


def _update(
    ctx: LayerContext,
    sums: Sequence[Value],
    mean: Value,
    variance: Value,
    count: int,
    averages: bool,
) -> None:
    """Decay what the blobs hold and add this batch's mean and unbiased variance."""
    b, fraction = ctx.b, ctx.param.moving_average_fraction
    unbiased = e.dyn(larger(count, 1) / larger(count - 1, 1))
    channels = sums[0].shape
    weight = expand(b, sums[2], 1, 0)
    for blob, new, scale in ((sums[0], mean, e.const(1.0)), (sums[1], variance, unbiased)):
        batch = e.arg(1) * scale
        if averages:
            old = e.arg(0) * _factor(e.arg(2))
            mixed = old * e.const(fraction) + batch * e.const(1.0 - fraction)
            value = e.where(e.equal(e.arg(2), 0.0), batch, mixed)
        else:
            value = e.arg(0) * e.const(fraction) + batch
        operands = [blob, b.reshape(new, channels), *([weight] if averages else [])]
        ctx.write(blob, b.map(value, *operands))
    seen = e.arg(0) * 0.0 + 1.0 if averages else e.arg(0) * e.const(fraction) + 1.0
    ctx.write(sums[2], b.map(seen, sums[2]))

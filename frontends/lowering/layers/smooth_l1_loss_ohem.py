"""SmoothL1LossOHEM (R-FCN)."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import check_equal_batches, loss_positions
from ..registry import layer


@layer(
    "SmoothL1LossOHEM",
    param="loss_param",
    bottoms=(2, 3),
    tops=(1, 2),
    loss=True,
    weightless=lambda layer: True,
    no_gradient_to=(2,),
    fork_fields=("normalization", "pre_fixed_normalizer"),
    fork="R-FCN",
    note="Without a loss_weight it counts for nothing. The weights scale the difference, but not "
    "the gradient.",
)
def lower_smooth_l1_loss_ohem(ctx: LayerContext) -> Sequence[Value]:
    """sum(f(w * (a - b))) over the number of places; both a and b get a gradient, f'(w * (a - b)).

    f(d) = d^2 / 2 where |d| < 1, |d| - 1 / 2 elsewhere. A second top (N, 1, H, W) holds the sum
    over channels, for BoxAnnotatorOHEM; no gradient flows through it.
    daijifeng001/caffe-rfcn, intel/caffe: src/caffe/layers/smooth_L1_loss_ohem_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    names = ctx.layer.bottom
    ctx.check(
        1 <= x.type.rank <= 4, f"'{names[0]}' has shape {list(x.shape)}; 1 to 4 axes are expected"
    )
    check_equal_batches(ctx)
    for index, value in enumerate(ctx.bottoms):
        ctx.check(
            value.type.size == x.type.size,
            f"'{names[0]}' has shape {list(x.shape)} and '{names[index]}' {list(value.shape)}",
            "bottom",
            f"all bottoms must have the same shape{_of_no_class(x, value, names[index])}",
            index,
        )
    shape = x.shape + (1,) * (4 - x.type.rank)
    batch, _, height, width = shape
    gap = e.arg(0) - e.arg(1)
    difference = gap * e.arg(2) if len(ctx.bottoms) > 2 else gap
    distance = e.absolute(difference)
    term = e.where(distance < 1.0, 0.5 * difference * difference, distance - 0.5)
    sign = e.where(difference > 0.0, 1.0, e.where(difference < 0.0, -1.0, 0.0))
    slope = e.stop(e.where(distance < 1.0, difference, sign))
    values = [b.reshape(v, shape) for v in ctx.bottoms]
    each = b.map(e.grad_as(term, slope * gap), *values)
    where = loss_positions(ctx.param, batch, batch * height * width)
    tops = [where.normalized(ctx, each, each)]
    if ctx.top_count > 1:
        tops.append(b.map(e.stop(e.arg(0)), b.sum(each, (1,))))
    return tops


def _of_no_class(prediction: Value, target: Value, name: str) -> str:
    """What else may be right: one box for all classes is predicted, as R-FCN does."""
    channels = prediction.shape[1] if prediction.type.rank > 1 else 0
    if channels != 8 or target.type.rank != 2 or target.shape[1] % 4:
        return ""
    return (
        "; where one box is predicted for all classes (cfg.TRAIN.AGNOSTIC), the layer that makes "
        f"the targets says so in its param_str ('agnostic': True), or --shape "
        f"{name}={target.shape[0]},{channels}"
    )

"""AssistedExcitation: labels light up activations early in training (MobileNet-YOLO)."""

from __future__ import annotations

import math

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.types import F32, I32

from ..context import LayerContext
from ..grid_truth import padded_truth
from ..registry import layer

_SHARE = 0.75
"""Of training; after it nothing is added."""

_TERMS = 7
"""Of the power series of the cosine, good to single precision up to a right angle."""


@layer(
    "AssistedExcitation",
    bottoms=3,
    no_gradient_to=(1, 2),
    fork="MobileNet-YOLO",
    note="Of a batch the first image alone is excited, as in the fork, which looks for the masks "
    "of others in the wrong place. Where no solver trains it is excited as at iteration 0; nothing "
    "is in phase TEST, where the fork's number of the iteration is not set.",
)
def lower_assisted_excitation(ctx: LayerContext) -> Value:
    """Add the mean activation where a labelled box is, the less the longer a net has trained.

    Bottoms: activations (N, C, H, W), labels (N, 1500) of boxes, and H x W numbers for each image:
    the mean of all channels. The share that is added is the cosine of how much of three quarters of
    training is over. The gradient is that of the activations as they are.
    eric612/MobileNet-YOLO: src/caffe/layers/assisted_excitation_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    _check(ctx)
    if not ctx.train:
        return b.map(e.arg(0), x)
    images, _, height, width = x.shape
    truth = padded_truth(ctx, 1, images)
    count = truth.rows.shape[0]
    fields = [b.reshape(b.slice(truth.rows, 1, i, i + 1), (count, 1, 1)) for i in range(1, 5)]
    seen = b.reshape(truth.seen, (count, 1, 1))
    inside: Expr = e.equal(e.arg(4, I32), 0)
    for axis, extent, place in ((0, width, e.index(2)), (1, height, e.index(1))):
        first, end = _covered(e.arg(axis), e.arg(2 + axis), extent)
        inside = inside & (place >= first) & (place < end)
    boxes = b.map(e.where(inside, 1.0, 0.0), *fields, seen, shape=(count, height, width))
    mask = b.reshape(b.reduce("max", boxes, (0,)), (1, 1, height, width))
    mean = b.reshape(ctx.bottoms[2], (images, 1, height, width))
    done, all_ = (b.reshape(b.slice(ctx.progress(), 0, i, i + 1), (1, 1, 1, 1)) for i in (0, 1))
    most = e.where(e.arg(4) > 0.0, e.arg(4), 1.0) * _SHARE
    alpha = _cosine(e.arg(3) / most * (math.pi / 2.0))
    lit = e.equal(e.index(0), 0) & (e.arg(2) > 0.0)
    added = e.where(lit, e.stop(alpha * e.arg(1)), 0.0)
    return b.map(e.arg(0) + added, x, mean, mask, done, all_)


def _covered(centre: Expr, size: Expr, extent: int) -> tuple[Expr, Expr]:
    """The first position of a side of a box, and the one after the last; at least one is."""
    number = e.dyn(extent, F32)
    low = e.to_int((centre - size / 2.0) * number)
    first = e.minimum(e.maximum(low, 0), e.dyn(extent - 1))
    place = (centre + size / 2.0) * number
    whole = e.unary("floor", place)
    # A whole number of 0.95 more, which the fork adds in double precision.
    high = e.to_int(whole) + e.where(place - whole >= 0.05, 1, 0)
    return first, e.minimum(e.maximum(high, first + 1), e.dyn(extent))


def _cosine(angle: Expr) -> Expr:
    """Of an angle that is not negative; 0 from a right angle on."""
    square = angle * angle
    series: Expr = e.const(1.0)
    for k in range(_TERMS, 0, -1):
        series = 1.0 - series * square / float((2 * k - 1) * 2 * k)
    return e.where(angle < math.pi / 2.0, e.minimum(e.maximum(series, 0.0), 1.0), 0.0)


def _check(ctx: LayerContext) -> None:
    x, _, mean = ctx.bottoms
    names = ctx.layer.bottom
    ctx.check(
        x.type.rank == 4,
        f"'{names[0]}' has shape {list(x.shape)}; (N, C, H, W) is expected",
        "bottom",
    )
    images, _, height, width = x.shape
    ctx.check(
        mean.type.size == images * height * width,
        f"'{names[2]}' has shape {list(mean.shape)}; {height}x{width} numbers for each of {images} "
        "images are expected",
        "bottom",
        "a Reduction with operation: MEAN over the channels",
        index=2,
    )

"""TripletLoss (MyCaffe, happynear)."""

from __future__ import annotations

import math

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import mean_over_batch
from ..registry import layer

MESSAGE = declare_message(
    "TripletLossParameter",
    optional("float", "margin", default=1.0),
    optional("double", "alpha", default=1.1),
    optional("int32", "pregen_label_start", default=0),
)
_LABELLED = 4
"""Bottoms of MyCaffe's layer: it takes labels, and reads none."""


@layer(
    "TripletLoss",
    param="triplet_loss_param",
    message=MESSAGE,
    bottoms=(3, 5),
    loss=True,
    no_gradient_to=(3, 4),
    fork="MyCaffe, happynear",
    note="With labels it is MyCaffe's, whose margin is `alpha`, else happynear's, whose margin is "
    "`margin`. Centroids as a fifth bottom are refused, as in MyCaffe when it runs.",
)
def lower_triplet_loss(ctx: LayerContext) -> Value:
    """Half the mean over triplets of max(|a - p|^2 - |a - n|^2 + margin, 0).

    Bottoms of one shape, (N, ...): anchors a, others of their class p, others of another class n;
    MyCaffe's layer also takes labels.
    MyCaffe: MyCaffe.layers.beta/layers.beta/TripletLossLayer.cs;
    happynear/caffe-windows: src/caffe/layers/triplet_loss_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    names, count = ctx.layer.bottom, len(ctx.bottoms)
    ctx.check(
        count <= _LABELLED,
        f"'{names[-1]}', centroids, as fifth bottom: MyCaffe does not support them yet, either",
        "bottom",
        "give anchors, positives, negatives and labels",
        index=count - 1,
    )
    mycaffes = count == _LABELLED
    for field, its in (("margin", not mycaffes), ("alpha", mycaffes)):
        ctx.check(
            its or not p.has(field),
            f"`{field}` is of {'happynear' if mycaffes else 'MyCaffe'}'s layer, which has "
            f"{'no labels' if mycaffes else 'labels as fourth bottom'}",
            field,
            f"`{'alpha' if mycaffes else 'margin'}` is the margin with {count} bottoms",
        )
    triplet = ctx.bottoms[:3]
    shape = ctx.x.shape
    for index, blob in enumerate(triplet):
        ctx.check(
            bool(shape) and blob.shape == shape,
            f"'{names[index]}' has shape {list(blob.shape)} and '{names[0]}' {list(shape)}",
            "bottom",
            "anchors, positives and negatives have the same shape, one in each row",
            index=index,
        )
    rows = (shape[0], math.prod(shape[1:]))
    anchor, positive, negative = (b.reshape(blob, rows) for blob in triplet)
    difference = e.arg(0) - e.arg(1)
    near, far = (
        b.sum(b.map(difference * difference, anchor, other), (1,)) for other in (positive, negative)
    )
    excess = e.arg(0) - e.arg(1) + (p.alpha if mycaffes else p.margin)
    return mean_over_batch(ctx, b.map(e.where(excess > 0.0, excess, 0.0), near, far), 0.5)

"""Dropout."""

from __future__ import annotations

import math

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "Dropout",
    param="dropout_param",
    in_place=True,
    fork_fields=("random_seed", "sample_weights_test", "scale_train", "sqrt_scale"),
    coordinates="kept",
)
def lower_dropout(ctx: LayerContext) -> Value:
    """Zero a random share of the elements and scale up the rest; nothing in phase TEST.

    Fields of forks: ``scale_train: false`` scales down in phase TEST instead,
    ``sqrt_scale`` keeps the variance instead of the mean, ``sample_weights_test`` drops in
    phase TEST, too. Caffe: src/caffe/layers/dropout_layer.cpp (its random numbers differ).
    """
    p, x = ctx.param, ctx.x
    ratio = p.dropout_ratio
    ctx.check(
        0.0 <= ratio < 1.0,
        f"dropout_ratio {ratio:g} is not a share of the elements",
        "dropout_ratio",
        "give the probability of dropping an element: 0 or more, less than 1",
    )
    kept = 1.0 - ratio
    if not ctx.train and not p.sample_weights_test:
        return x if p.scale_train else ctx.b.map(e.arg(0) * kept, x)
    if ratio == 0.0:
        return x
    scale = 1.0 if not p.scale_train else math.sqrt(1.0 / kept) if p.sqrt_scale else 1.0 / kept
    u, random = ctx.uniform(1, x.type.rank)
    return ctx.b.map(e.where(u >= ratio, e.arg(0) * scale, 0.0), x, *random)

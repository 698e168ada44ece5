"""SeLuDropout (jolibrain's Caffe): dropout that keeps mean and variance."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("SeLuDropout", param="selu_dropout_param", in_place=True, fork="jolibrain",
       coordinates="kept")  # fmt: skip
def lower_selu_dropout(ctx: LayerContext) -> Value:
    """In training an element is ``alpha`` with probability dropout_ratio; then all are scaled
    and shifted so that mean 0 and variance 1 stay. The bottom as it is in phase TEST.

    jolibrain/caffe: src/caffe/layers/selu_dropout_layer.cpp.
    """
    p, x = ctx.param, ctx.x
    ctx.check(
        0.0 < p.dropout_ratio < 1.0,
        f"dropout_ratio is {p.dropout_ratio:g}",
        "dropout_ratio",
        "between 0 and 1",
    )
    if not ctx.train:
        return x
    kept, alpha = 1.0 - p.dropout_ratio, p.alpha
    scale = (kept * (1.0 + alpha * alpha * (1.0 - kept))) ** -0.5
    shift = -scale * (1.0 - kept) * alpha
    drawn, random = ctx.uniform(1, x.type.rank)
    chosen = e.where(drawn < kept, e.arg(0), alpha)
    return ctx.b.map(chosen * scale + shift, x, *random)

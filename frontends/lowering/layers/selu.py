"""SeLu: a self-normalizing activation (jolibrain's Caffe)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "SeLUParameter",
    optional("float", "lambda", default=1.050700987),
    optional("float", "alpha", default=1.67326324),
)


@layer("SeLu", param="selu_param", message=MESSAGE, in_place=True, fork="jolibrain",
       coordinates="kept")  # fmt: skip
def lower_selu(ctx: LayerContext) -> Value:
    """lambda * x above 0, lambda * alpha * (exp(x) - 1) below.

    jolibrain/caffe: src/caffe/layers/selu_layer.cpp.
    """
    x, scale = e.arg(0), ctx.param["lambda"]
    # As in ELU: the minimum keeps exp finite where it is not chosen.
    below = e.unary("expm1", e.minimum(0.0, x)) * ctx.param.alpha
    return ctx.b.map(e.where(x > 0.0, x, below) * scale, ctx.x)

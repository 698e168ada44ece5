"""Eltwise: sum, product or maximum of several tensors of one shape."""

from __future__ import annotations

import functools
import operator

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "Eltwise",
    param="eltwise_param",
    bottoms=(2, None),
    in_place=True,
    note="Last axes of one element may be missing in a bottom: R-FCN adds losses of boxes as (N) "
    "and (N, 1, 1, 1). Equal maxima: of two bottoms the second gets the gradient; of more, a later "
    "one only if it is larger, as in Caffe on the CPU. stable_prod_grad is always on.",
    coordinates="kept",
)
def lower_eltwise(ctx: LayerContext) -> Value:
    """SUM (weighted by coeff), PROD or MAX, which like Caffe's takes coeff and ignores it.

    Caffe: src/caffe/layers/eltwise_layer.cpp.
    """
    p, shape = ctx.param, ctx.x.shape
    coefficients = p.coeff
    rank = ctx.x.type.rank
    for i, other in enumerate(ctx.bottoms[1:], 1):
        longer, shorter = sorted((shape, other.shape), key=len, reverse=True)
        ctx.check(
            longer[: len(shorter)] == shorter and all(d == 1 for d in longer[len(shorter) :]),
            f"bottom {i} has shape {list(other.shape)}, bottom 0 has {list(shape)}",
            "bottom",
            "all bottoms need one shape; nothing is broadcast",
            i,
        )
    ctx.check(
        len(coefficients) in (0, len(ctx.bottoms)),
        f"{len(coefficients)} coeff values for {len(ctx.bottoms)} bottoms",
        "coeff",
        "give none, or one per bottom",
    )
    ctx.check(
        not coefficients or p.operation != "PROD",
        "coeff is for SUM, not for PROD",
        "coeff",
    )
    operands = [e.arg(i) for i in range(len(ctx.bottoms))]
    if p.operation == "SUM":
        weights = coefficients or [1.0] * len(operands)
        weighted = [x * c for x, c in zip(operands, weights, strict=True)]
        result = functools.reduce(operator.add, weighted)
    elif p.operation == "PROD":
        result = functools.reduce(operator.mul, operands)
    else:
        # Of equal operands the second of `maximum` gets the gradient.
        result = e.maximum(operands[0], operands[1])
        for x in operands[2:]:
            result = e.maximum(x, result)
    alike = [x if x.type.rank == rank else ctx.b.reshape(x, shape) for x in ctx.bottoms]
    return ctx.b.map(result, *alike)

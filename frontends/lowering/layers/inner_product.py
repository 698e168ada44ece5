"""InnerProduct."""

from __future__ import annotations

import math

from ir import expr as e
from ir.build import expand
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

_MOST_AXES = 32  # Caffe: kMaxBlobAxes


@layer("InnerProduct", param="inner_product_param", fork_fields=("min_top_axes",))
def lower_inner_product(ctx: LayerContext) -> Value:
    """y = x W^T + b over everything from ``axis`` on. Weights (N, K), or (K, N) if transposed.

    With ``min_top_axes`` axes of extent 1 follow until there are so many (MyCaffe:
    MyCaffe/layers/InnerProductLayer.cs). Caffe: src/caffe/layers/inner_product_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    axis = ctx.axis(p.axis)
    lead, k = x.shape[:axis], int(math.prod(x.shape[axis:]))
    n = p.num_output
    ctx.check(n > 0, "num_output is missing or 0", "num_output", "give the number of outputs")
    weights = ctx.parameter((k, n) if p.transpose else (n, k), p.weight_filler)
    rows = b.reshape(x, (math.prod(lead), k))
    y = b.matmul(rows, weights, transpose_b=not p.transpose)
    if p.bias_term:
        bias = expand(b, ctx.parameter((n,), p.bias_filler), 2, 1)
        y = b.map(e.arg(0) + e.arg(1), y, bias)
    added = p.min_top_axes - len(lead) - 1
    ctx.check(
        p.min_top_axes <= _MOST_AXES,
        f"min_top_axes is {p.min_top_axes}",
        "min_top_axes",
        f"a blob has at most {_MOST_AXES} axes",
    )
    return b.reshape(y, (*lead, n, *(1,) * added))

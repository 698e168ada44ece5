"""Embed."""

from __future__ import annotations

from ir import expr as e
from ir.build import expand
from ir.graph import Value
from ir.ops.gather import Gather

from ..context import LayerContext
from ..registry import layer


@layer("Embed", param="embed_param", no_gradient_to=(0,))
def lower_embed(ctx: LayerContext) -> Value:
    """Row ``int(x)`` of a table (input_dim, num_output) per element of x, plus a bias.

    Caffe: src/caffe/layers/embed_layer.cpp. A row number outside the table gives zeros.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    n, k = p.num_output, p.input_dim
    ctx.check(n > 0, "num_output is missing or 0", "num_output")
    ctx.check(k > 0, "input_dim is missing or 0", "input_dim", "give the size of the vocabulary")
    table = ctx.parameter((k, n), p.weight_filler)
    rows = b.map(e.to_int(e.arg(0)), b.reshape(x, (x.type.size,)))
    y = b.emit(Gather(), table, rows)
    if p.bias_term:
        bias = expand(b, ctx.parameter((n,), p.bias_filler), 2, 1)
        y = b.map(e.arg(0) + e.arg(1), y, bias)
    return b.reshape(y, (*x.shape, n))

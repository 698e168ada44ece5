"""BatchReindex."""

from __future__ import annotations

import math

from ir import expr as e
from ir.graph import Value
from ir.ops.gather import Gather

from ..context import LayerContext
from ..registry import layer


@layer(
    "BatchReindex",
    bottoms=2,
    no_gradient_to=(1,),
    note="An index outside the batch gives zeros (Caffe: stops).",
)
def lower_batch_reindex(ctx: LayerContext) -> Value:
    """Rows of the first bottom in the order the second names, repeated or left out.

    Caffe: src/caffe/layers/batch_reindex_layer.cpp.
    """
    b, x, order = ctx.b, ctx.x, ctx.bottoms[1]
    ctx.check(x.type.rank > 0, "the first bottom is a scalar", "bottom")
    ctx.check(
        order.type.rank == 1,
        f"the indices have shape {list(order.shape)}",
        "bottom",
        "they need one axis",
        1,
    )
    table = b.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
    rows = b.map(e.to_int(e.arg(0)), order)
    return b.reshape(b.emit(Gather(), table, rows), (order.shape[0], *x.shape[1:]))

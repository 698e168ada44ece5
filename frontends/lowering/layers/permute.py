"""Permute (SSD)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import repeated
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "Permute",
    param="permute_param",
    message=declare_message("PermuteParameter", repeated("uint32", "order")),
    fork="SSD",
)
def lower_permute(ctx: LayerContext) -> Value:
    """Axes in another order; those that ``order`` does not name follow as they were.

    SSD: src/caffe/layers/permute_layer.cpp.
    """
    rank, given = ctx.x.type.rank, ctx.param.order
    for axis in given:
        ctx.check(axis < rank, f"axis {axis} is out of range for {list(ctx.x.shape)}", "order")
    ctx.check(len(set(given)) == len(given), f"order {given} names an axis twice", "order")
    return ctx.b.transpose(ctx.x, [*given, *(a for a in range(rank) if a not in given)])

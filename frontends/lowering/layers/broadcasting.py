"""Mul and Add of two blobs that are broadcast (Synopsys' Caffe, after TensorFlow)."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.size import same_size

from ..context import LayerContext
from ..registry import layer


def _operands(ctx: LayerContext, other: Value) -> tuple[Value, Value]:
    """Both with as many axes; an extent of 1 stands for any."""
    x = ctx.x
    rank = max(x.type.rank, other.type.rank)
    pair = []
    for value in (x, other):
        shape = (*(1,) * (rank - value.type.rank), *value.shape)
        pair.append(ctx.b.reshape(value, shape))
    for a, c in zip(pair[0].shape, pair[1].shape, strict=True):
        ctx.check(
            same_size(a, c) or a == 1 or c == 1,
            f"{list(x.shape)} and {list(other.shape)} cannot be broadcast",
            "bottom",
            "counted from the last axis, extents must be equal, or 1",
            len(ctx.bottoms) - 1,
        )
    return pair[0], pair[1]


def _combined(ctx: LayerContext, value: Expr, other: Value) -> Value:
    return ctx.b.map(value, *_operands(ctx, other))


@layer("Mul", param="mul_param", bottoms=(1, 2), fork="Synopsys")
def lower_mul(ctx: LayerContext) -> Value:
    """The product of two bottoms, or of one and a blob of shape ``mul_shape``.

    synopsys-caffe: src/caffe/layers/mul_layer.cpp.
    """
    second = ctx.bottoms[1] if len(ctx.bottoms) == 2 else ctx.parameter(ctx.param.mul_shape, 0.0)
    return _combined(ctx, e.arg(0) * e.arg(1), second)


@layer("Add", bottoms=2, fork="Synopsys")
def lower_add(ctx: LayerContext) -> Value:
    """The sum of two bottoms. synopsys-caffe: src/caffe/layers/add_layer.cpp."""
    return _combined(ctx, e.arg(0) + e.arg(1), ctx.bottoms[1])

"""Reduction and ArgMax."""

from __future__ import annotations

import math

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.ops.sort import TopK
from ir.size import larger
from ir.types import F32, I32

from ..context import LayerContext
from ..registry import layer


@layer("Reduction", param="reduction_param")
def lower_reduction(ctx: LayerContext) -> Value:
    """SUM, ASUM, SUMSQ or MEAN over all axes from ``axis`` on, times coeff.

    Caffe: src/caffe/layers/reduction_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    axis = ctx.axis(p.axis) if x.type.rank else 0
    lead, tail = x.shape[:axis], x.shape[axis:]
    rows = b.reshape(x, (math.prod(lead), math.prod(tail)))
    element = {"ASUM": e.absolute(e.arg(0)), "SUMSQ": e.arg(0) * e.arg(0)}.get(p.operation)
    if element is not None:
        rows = b.map(element, rows)
    scale: Expr = e.const(p.coeff)
    if p.operation == "MEAN":
        scale = scale / e.dyn(larger(math.prod(tail), 1), F32)
    y = b.map(e.arg(0) * scale, b.sum(rows, (1,)))
    return b.reshape(y, lead)


@layer("ArgMax", param="argmax_param")
def lower_argmax(ctx: LayerContext) -> Value:
    """Indices (or values) of the top_k largest; of equal ones the last comes first.

    Without ``axis`` over everything but the batch: (N, 1, k, 1...), or with out_max_val
    (N, 2, k, 1...), indices then values. Caffe: src/caffe/layers/argmax_layer.cpp.
    """
    p, b, x = ctx.param, ctx.b, ctx.x
    k, rank = p.top_k, x.type.rank
    ctx.check(rank > 0, "the bottom is a scalar", "bottom")
    if p.has("axis"):
        axis = ctx.axis(p.axis)
        _check_top_k(ctx, x.shape[axis])
        return _along_axis(ctx, axis)
    count = math.prod(x.shape[1:])
    _check_top_k(ctx, count)
    rows = b.reshape(x, (x.shape[0], count))
    ones = (1,) * max(0, rank - 3)
    indices = [b.map(e.to_float(e.arg(0, I32)), _indices(ctx, rows, 1))]
    if p.out_max_val:
        indices.append(_values(ctx, rows, 1))
    parts = [b.reshape(v, (x.shape[0], 1, k, *ones)) for v in indices]
    return b.concat(parts, 1)


def _check_top_k(ctx: LayerContext, count: int) -> None:
    k = ctx.param.top_k
    ctx.check(k >= 1, "top_k is 0", "top_k", "it must be at least 1")
    ctx.check(k <= count, f"top_k {k} is more than the {count} elements compared", "top_k")


def _along_axis(ctx: LayerContext, axis: int) -> Value:
    p, b, x = ctx.param, ctx.b, ctx.x
    order = [a for a in range(x.type.rank) if a != axis] + [axis]
    back = [order.index(a) for a in range(x.type.rank)]
    if p.top_k == 1:
        if p.out_max_val:
            return _values(ctx, x, axis)
        return b.map(e.to_float(e.arg(0, I32)), _indices(ctx, x, axis))
    rows = b.transpose(x, order)
    last = x.type.rank - 1
    if p.out_max_val:
        found = _values(ctx, rows, last)
    else:
        found = b.map(e.to_float(e.arg(0, I32)), _indices(ctx, rows, last))
    return b.transpose(found, back)


def _indices(ctx: LayerContext, x: Value, axis: int) -> Value:
    if ctx.param.top_k == 1:
        return ctx.b.emit(ArgExtreme("max", axis, "last"), x)
    return ctx.b.emit_all(TopK(ctx.param.top_k), x)[1]


def _values(ctx: LayerContext, x: Value, axis: int) -> Value:
    if ctx.param.top_k == 1:
        largest = ctx.b.reduce("max", x, (axis,))
        return ctx.b.map(e.stop(e.arg(0)), largest)
    return ctx.b.emit_all(TopK(ctx.param.top_k), x)[0]

"""Eltwise: sum, product or maximum of several tensors of one shape, and a few more of forks."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable

from ir import expr as e
from ir.build import expand
from ir.expr import Expr
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer(
    "Eltwise",
    param="eltwise_param",
    bottoms=(2, None),
    in_place=True,
    fork_fields=("axis", "operation"),
    note="Last axes of one element may be missing in a bottom: R-FCN adds losses of boxes as (N) "
    "and (N, 1, 1, 1). Equal maxima: of two bottoms the second gets the gradient; of more, a later "
    "one only if it is larger, as in Caffe on the CPU. stable_prod_grad is always on. DIV has a "
    "gradient, which Synopsys' lacks.",
    coordinates="kept",
)
def lower_eltwise(ctx: LayerContext) -> Value:
    """SUM (weighted by coeff), PROD or MAX, which like Caffe's takes coeff and ignores it.

    Synopsys' Caffe has MIN, and DIV of two; its second bottom may have some of the first one's
    axes, from ``axis`` on. Caffe and synopsys-caffe: src/caffe/layers/eltwise_layer.cpp.
    """
    p, operation = ctx.param, ctx.param.operation
    coefficients, alike = p.coeff, _alike(ctx)
    ctx.check(
        len(coefficients) in (0, len(ctx.bottoms)),
        f"{len(coefficients)} coeff values for {len(ctx.bottoms)} bottoms",
        "coeff",
        "give none, or one per bottom",
    )
    ctx.check(
        not coefficients or operation in ("SUM", "MAX"),
        f"coeff is for SUM, not for {operation}",
        "coeff",
    )
    operands = [e.arg(i) for i in range(len(ctx.bottoms))]
    if operation == "SUM":
        weights = coefficients or [1.0] * len(operands)
        operands = [x * c for x, c in zip(operands, weights, strict=True)]
    if operation == "DIV":
        ctx.check(
            len(operands) == 2, f"DIV takes 2 bottoms, {len(operands)} are given", "operation"
        )
    ctx.check(
        operation in _COMBINED,
        f"`operation: {operation}` is another fork's",
        "operation",
        f"{', '.join(_COMBINED)} are known",
    )
    return ctx.b.map(_COMBINED[operation](operands), *alike)


def _alike(ctx: LayerContext) -> list[Value]:
    """The bottoms with the rank of the first one, and extents that are its own or 1."""
    shape, rank = ctx.x.shape, ctx.x.type.rank
    axis = ctx.axis(ctx.param.axis) if rank else 0
    alike = [ctx.x]
    for i, other in enumerate(ctx.bottoms[1:], 1):
        longer, shorter = sorted((shape, other.shape), key=len, reverse=True)
        if longer[: len(shorter)] == shorter and all(d == 1 for d in longer[len(shorter) :]):
            alike.append(ctx.b.reshape(other, shape))
            continue
        inner = i == 1 and shape[axis : axis + other.type.rank] == other.shape
        ctx.check(
            inner,
            f"bottom {i} has shape {list(other.shape)}, bottom 0 has {list(shape)}",
            "bottom",
            "all bottoms need one shape; the second one may have some of its axes, from axis "
            f"{axis} on",
            i,
        )
        alike.append(expand(ctx.b, other, rank, axis))
    return alike


def _extreme(pick: Callable[[Expr, Expr], Expr]) -> Callable[[list[Expr]], Expr]:
    """Of equal operands the second of ``pick`` gets the gradient: one that is found before."""

    def combined(operands: list[Expr]) -> Expr:
        result = pick(operands[0], operands[1])
        for x in operands[2:]:
            result = pick(x, result)
        return result

    return combined


_COMBINED: dict[str, Callable[[list[Expr]], Expr]] = {
    "SUM": functools.partial(functools.reduce, operator.add),
    "PROD": functools.partial(functools.reduce, operator.mul),
    "MAX": _extreme(e.maximum),
    "MIN": _extreme(e.minimum),
    "DIV": functools.partial(functools.reduce, operator.truediv),
}

"""Reverse-mode derivatives of scalar expressions, as expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import expr as e
from .expr import Expr
from .expr_exchange import without_gradient_marks

# rule(node, g) -> the cotangent of every operand, None where there is none.
DerivativeRule = Callable[[Expr, Expr], Sequence[Expr | None]]


def _split(node: Expr, g: Expr) -> list[Expr | None]:
    # max and min give the whole gradient to one side; a tie goes to the second operand, so
    # that max(x, 0) has derivative 0 at 0 as Caffe's ReLU has.
    a, b = node.args
    first = a > b if node.op == "max" else a < b
    return [e.where(first, g, 0.0), e.where(first, 0.0, g)]


def _pow(node: Expr, g: Expr) -> list[Expr | None]:
    a, b = node.args
    first = g * b * e.power(a, b - 1.0) if b.op != "const" else g * b * _lower_power(a, b)
    return [first, None if b.op in ("const", "dyn") else g * node * e.log(a)]


def _lower_power(a: Expr, b: Expr) -> Expr:
    assert b.value is not None
    exponent = float(b.value) - 1.0
    return e.const(1.0) if exponent == 0.0 else e.power(a, e.const(exponent, b.dtype))


RULES: dict[str, DerivativeRule] = {
    "add": lambda n, g: [g, g],
    "sub": lambda n, g: [g, -g],
    "mul": lambda n, g: [g * n.args[1], g * n.args[0]],
    "div": lambda n, g: [g / n.args[1], -(g * n / n.args[1])],
    "max": _split,
    "min": _split,
    "pow": _pow,
    "neg": lambda n, g: [-g],
    "abs": lambda n, g: [e.where(n.args[0] > 0.0, g, e.where(n.args[0] < 0.0, -g, 0.0))],
    "exp": lambda n, g: [g * n],
    "log": lambda n, g: [g / n.args[0]],
    "log1p": lambda n, g: [g / (n.args[0] + 1.0)],
    "expm1": lambda n, g: [g * (n + 1.0)],
    "sqrt": lambda n, g: [g * 0.5 / n],
    "tanh": lambda n, g: [g * (1.0 - n * n)],
    "sigmoid": lambda n, g: [g * n * (1.0 - n)],
    "where": lambda n, g: [None, e.where(n.args[0], g, 0.0), e.where(n.args[0], 0.0, g)],
    "to_float": lambda n, g: [e.cast(g, n.args[0].dtype)],
    "to_f16": lambda n, g: [e.to_float(g)],
    "to_bf16": lambda n, g: [e.to_float(g)],
    "grad_as": lambda n, g: [None, g],
}
"""Primitives without a row (comparisons, floor, rand, to_int, stop) have no derivative."""


def gradients(root: Expr, cotangent: Expr) -> dict[int, Expr]:
    """Cotangent of every ``arg`` of ``root`` that has one, by input number.

    ``cotangent`` is d(loss)/d(root), usually an ``arg`` beyond those of ``root``.
    """
    order = list(e.walk(root))
    adjoint: dict[Expr, Expr] = {root: cotangent}
    for node in reversed(order):
        g = adjoint.get(node)
        if g is None or node.op not in RULES or not node.dtype.is_float:
            continue
        for operand, part in zip(node.args, RULES[node.op](node, g), strict=True):
            if part is None or not operand.dtype.is_float:
                continue
            known = adjoint.get(operand)
            adjoint[operand] = part if known is None else known + part
    return {
        i: without_gradient_marks(adjoint[leaf])
        for i, leaf in e.arguments(root).items()
        if leaf in adjoint
    }

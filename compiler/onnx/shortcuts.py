"""Expressions that one node of ONNX says: Relu, Clip, LeakyRelu, PRelu, Elu.

A new one is a function here, with the decorator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ir.expr import Expr
from ir.graph import Value

from .writer import Writer


class ExpressionNodes(Protocol):
    """What writes the expressions of a map."""

    writer: Writer
    inputs: Sequence[Value]
    shape: tuple[int, ...]

    def tensor(self, root: Expr) -> str:
        """The tensor of an expression, which broadcasts to the shape."""
        ...


Shortcut = Callable[[ExpressionNodes, Expr], str | None]

_SHORTCUTS: dict[str, list[Shortcut]] = {}


def shortcut_for(op: str) -> Callable[[Shortcut], Shortcut]:
    """Register a shortcut for expressions whose outermost primitive is ``op``."""

    def register(function: Shortcut) -> Shortcut:
        _SHORTCUTS.setdefault(op, []).append(function)
        return function

    return register


def shortcut(at: ExpressionNodes, root: Expr) -> str | None:
    """The tensor of an expression that has a node of its own."""
    for attempt in _SHORTCUTS.get(root.op, ()):
        found = attempt(at, root)
        if found is not None:
            return found
    return None


def _number(expr: Expr) -> float | None:
    if expr.op not in ("const", "dyn") or not expr.dtype.is_float:
        return None
    return expr.value if isinstance(expr.value, float) else None


def _with_number(root: Expr) -> tuple[Expr, float] | None:
    """Of a commutative primitive: the other operand, and the number."""
    for a, b in (root.args, root.args[::-1]):
        number = _number(b)
        if number is not None and _number(a) is None:
            return a, number
    return None


@shortcut_for("max")
def relu(at: ExpressionNodes, root: Expr) -> str | None:
    """max(x, 0)"""
    found = _with_number(root)
    if found is None or found[1] != 0.0:
        return None
    return at.writer.node("Relu", [at.tensor(found[0])])


@shortcut_for("min")
def clip(at: ExpressionNodes, root: Expr) -> str | None:
    """min(max(x, low), high)"""
    outer = _with_number(root)
    if outer is None or outer[0].op != "max":
        return None
    inner = _with_number(outer[0])
    if inner is None or inner[1] > outer[1]:
        return None
    bounds = [at.writer.constant(root.dtype.numpy.type(x)) for x in (inner[1], outer[1])]
    return at.writer.node("Clip", [at.tensor(inner[0]), *bounds])


def _keeps_positive(root: Expr) -> bool:
    """Whether a choice is an operand where that is above 0."""
    condition, above, _ = root.args
    if condition.op != "gt" or condition.args[0] is not above:
        return False
    return _number(condition.args[1]) == 0


@shortcut_for("where")
def leaky(at: ExpressionNodes, root: Expr) -> str | None:
    """x where it is above 0, elsewhere x times a number, or times a tensor."""
    _, above, below = root.args
    if (
        not _keeps_positive(root)
        or below.op != "mul"
        or above not in below.args
        or above.op != "arg"
    ):
        return None
    factor = below.args[1] if below.args[0] is above else below.args[0]
    number = _number(factor)
    if number is not None:
        return at.writer.node("LeakyRelu", [at.tensor(above)], alpha=float(number))
    if factor.op != "arg" or len(at.inputs[int(factor.value)].shape) != len(at.shape):
        return None
    whole = at.inputs[int(above.value)].shape == at.shape
    return at.writer.node("PRelu", [at.tensor(above), at.tensor(factor)]) if whole else None


@shortcut_for("where")
def elu(at: ExpressionNodes, root: Expr) -> str | None:
    """x where it is above 0, elsewhere exp(x) - 1 times a number."""
    _, above, below = root.args
    if not _keeps_positive(root):
        return None
    factor: float | None = 1.0
    if below.op == "mul":
        found = _with_number(below)
        below, factor = found if found is not None else (below, None)
    if factor is None or below.op != "expm1":
        return None
    inner = below.args[0]
    if inner.op == "min":
        found = _with_number(inner)
        inner = found[0] if found is not None and found[1] == 0.0 else inner
    if inner is not above:
        return None
    return at.writer.node("Elu", [at.tensor(above)], alpha=float(np.float32(factor)))

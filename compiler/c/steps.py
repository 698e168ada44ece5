"""How many operations on vectors a scalar expression is, as C computes it: at least."""

from __future__ import annotations

from ir.expr import Expr

from .spelling import is_quarter_power

_FUNCTIONS = {
    "div": 8,
    "sqrt": 12,
    "exp": 17,
    "expm1": 27,
    "log": 34,
    "log1p": 80,
    "sigmoid": 27,
    "tanh": 40,
    "pow": 50,
    "rand": 128,
}
"""Counted in ``support/functions.h`` and ``random.h``; of what divides, what a processor that is
good at it takes."""
_QUARTER_POWER = 17
_NONE = frozenset({"to_float", "to_int", "stop", "grad_as"})


def steps(value: Expr) -> int:
    """Of an expression without its operands. A product and its sum are one, the product's."""
    if not value.args or value.op in _NONE:
        return 0
    if value.op in ("add", "sub") and any(operand.op == "mul" for operand in value.args):
        return 0
    if is_quarter_power(value):
        return _QUARTER_POWER
    return _FUNCTIONS.get(value.op, 1)

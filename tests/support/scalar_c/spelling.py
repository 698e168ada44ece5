"""How C spells the primitives of scalar expressions, by its own functions and :mod:`.helpers`."""

from __future__ import annotations

import re

from compiler.kernels import operators as o
from ir.expr import Expr
from ir.types import DType

from .helpers import HELPERS

OR, AND, COMPARISON = 1, 2, 3  # of operators: C's order
C_TYPES = {DType.F32: "float", DType.I32: "int32_t", DType.U32: "uint32_t", DType.BOOL: "bool8"}
LITERALS = {"true": "1", "false": "0", "real": "{}f"}
LITERALS |= {"nan": "NAN", "inf": "INFINITY", "-inf": "-INFINITY"}


def _division(symbol: str, helper: str) -> o.Spell:
    def spell(value: Expr, ask: o.Ask) -> tuple[str, int]:
        a, b = value.args
        if b.op == "const" and b.value > 0:
            return f"{ask(a, o.PRODUCT)} {symbol} {ask(b, o.ATOM)}", o.PRODUCT
        return f"{helper}({ask(a, o.ANY)}, {ask(b, o.ANY)})", o.ATOM

    return spell


def _where(value: Expr, ask: o.Ask) -> tuple[str, int]:
    condition, a, b = (ask(operand, OR) for operand in value.args)
    return f"{condition} ? {a} : {b}", o.ANY


_FUNCTIONS = {n: f"{n}f" for n in ("pow", "exp", "log", "log1p", "expm1", "sqrt", "tanh", "floor")}
_FUNCTIONS |= {"max": "larger", "min": "smaller", "abs": "magnitude", "rand": "philox_uniform"}

SPELLING: dict[str, o.Spelling] = {
    **o.common_operators(COMPARISON),
    **{op: o.FunctionCall(name) for op, name in _FUNCTIONS.items()},
    "sigmoid": o.FunctionCall("sigmoid"),
    "floordiv": _division("/", "quotient"),
    "mod": _division("%", "rest"),
    "neg": o.Prefix("-", o.ATOM),
    "not": o.Prefix("!", o.ATOM),
    "and": o.Infix("&&", AND),
    "or": o.Infix("||", OR),
    "where": _where,
    "to_float": o.Prefix("(float)", o.ATOM),
    "to_int": o.Prefix("(int32_t)", o.ATOM),
    "as_i32": o.Prefix("(int32_t)", o.ATOM),  # of indices of 64 bits
}
"""Keyed like :data:`ir.expr.PRIMITIVES`, but for the marks that only a gradient reads."""

_KEYWORDS = """auto break case char continue default do double else enum extern for goto if int long
register restrict short signed sizeof struct switch union unsigned volatile while programs"""
RESERVED = {*_KEYWORDS.split(), *re.findall(r"\w+", HELPERS), *_FUNCTIONS.values()}
"""Names that no variable has."""

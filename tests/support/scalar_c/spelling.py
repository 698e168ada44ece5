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
    def spell(value: Expr, printer: o.Printer) -> tuple[str, int]:
        b = value.args[1]
        known = b.op == "const" and b.value > 0
        return (o.infix(symbol, o.PRODUCT) if known else o.call(helper))(value, printer)

    return spell


def _where(value: Expr, printer: o.Printer) -> tuple[str, int]:
    condition, a, b = (printer.expr(operand, OR) for operand in value.args)
    return f"{condition} ? {a} : {b}", o.ANY


_FUNCTIONS = {n: f"{n}f" for n in ("pow", "exp", "log", "log1p", "expm1", "sqrt", "tanh", "floor")}
_FUNCTIONS |= {"max": "larger", "min": "smaller", "abs": "magnitude", "rand": "philox_uniform"}

SPELLING: dict[str, o.Spell] = {
    **o.common_operators(COMPARISON),
    **{op: o.call(name) for op, name in _FUNCTIONS.items()},
    "sigmoid": o.call("sigmoid"),
    "floordiv": _division("/", "quotient"),
    "mod": _division("%", "rest"),
    "neg": o.prefix("-", o.ATOM),
    "not": o.prefix("!", o.ATOM),
    "and": o.infix("&&", AND),
    "or": o.infix("||", OR),
    "where": _where,
    "to_float": o.prefix("(float)", o.ATOM),
    "to_int": o.prefix("(int32_t)", o.ATOM),
    "as_i32": o.prefix("(int32_t)", o.ATOM),  # of indices of 64 bits
}
"""Keyed like :data:`ir.primitives.PRIMITIVES`, but for the marks that only a gradient reads."""

_KEYWORDS = """auto break case char continue default do double else enum extern for goto if int long
register restrict short signed sizeof struct switch union unsigned volatile while programs"""
RESERVED = {*_KEYWORDS.split(), *re.findall(r"\w+", HELPERS), *_FUNCTIONS.values()}
"""Names that no variable has."""

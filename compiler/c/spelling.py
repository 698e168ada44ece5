"""How C spells the primitives of scalar expressions, by its own functions and :mod:`.support`.

Of vectors functions are named after what their lanes are: ``larger_f``.
"""

from __future__ import annotations

import re

from compiler.kernels import operators as o
from ir.expr import Expr
from ir.types import DType

from .support import prelude

OR, AND, COMPARISON = 1, 2, 3  # of operators: C's order
C_TYPES = {DType.F32: "float", DType.I32: "int32_t", DType.U32: "uint32_t", DType.BOOL: "bool8"}
"""In memory."""
SCALAR_TYPES = {**C_TYPES, DType.I32: "int64_t"}  # also of indices
LETTERS = {DType.F32: "f", DType.I32: "i", DType.U32: "u", DType.BOOL: "b"}
VECTOR_TYPES = {DType.F32: "vf", DType.I32: "vi", DType.U32: "vu", DType.BOOL: "vi"}
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

_OPERATORS = o.common_operators(COMPARISON)

SPELLING: dict[str, o.Spelling] = {
    **_OPERATORS,
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
register restrict short signed sizeof struct switch union unsigned volatile while given begin
end across program"""
RESERVED = {*_KEYWORDS.split(), *re.findall(r"\w+", prelude(2)), *_FUNCTIONS.values()}
"""Names that no variable has."""


_LOGIC = {"and": o.Infix("&", AND), "or": o.Infix("|", OR)}
_LIBRARY = ("exp", "log", "log1p", "expm1", "sqrt", "tanh", "floor", "sigmoid", "pow", "rand")
_BY_LETTER = {"max": "larger", "min": "smaller", "abs": "magnitude", "where": "choose"}
_BY_LETTER |= {"floordiv": "quotient", "mod": "rest"}


def vector_spelling(value: Expr) -> o.Spelling:
    """Of an operation whose operands are vectors, or are made such."""
    letter = LETTERS[value.args[-1].dtype]
    if value.op in _BY_LETTER:
        return o.FunctionCall(f"{_BY_LETTER[value.op]}_{letter}")
    if value.op in ("to_float", "to_int"):
        return o.FunctionCall(f"{value.op}_{letter}")
    if value.op in _LIBRARY:
        return o.FunctionCall(f"{value.op}_f")
    if value.op == "as_i32":
        return o.FunctionCall("")
    if value.op == "not":
        return o.Prefix("~", o.ATOM)
    if value.op == "neg":
        return o.Prefix("-", o.ATOM)
    if value.op in _LOGIC:
        return _LOGIC[value.op]
    return _OPERATORS[value.op]

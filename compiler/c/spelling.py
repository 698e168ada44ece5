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
C_TYPES |= {DType.F16: "uint16_t", DType.BF16: "uint16_t"}  # their bits, in lanes too
"""In memory."""
SCALAR_TYPES = {**C_TYPES, DType.I32: "int64_t"}  # also of indices
LETTERS = {DType.F32: "f", DType.I32: "i", DType.U32: "u", DType.BOOL: "b"}
LETTERS |= {DType.F16: "h", DType.BF16: "h"}
VECTOR_TYPES = {DType.F32: "vf", DType.I32: "vi", DType.U32: "vu", DType.BOOL: "vi"}
VECTOR_TYPES |= {DType.F16: "vi", DType.BF16: "vi"}
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


def _logic(symbol: str, binding: int, operands: int) -> o.Spell:
    """Of operands that stand in parentheses where a reader, or a compiler, could wonder."""

    def spell(value: Expr, printer: o.Printer) -> tuple[str, int]:
        a, b = value.args
        left = printer.expr(a, binding if a.op == value.op else operands)
        sign = symbol if value.dtype is DType.BOOL else symbol[0]  # of bits
        return f"{left} {sign} {printer.expr(b, operands)}", binding

    return spell


def _to_float(value: Expr, printer: o.Printer) -> tuple[str, int]:
    dtype = value.args[0].dtype
    if dtype.is_narrow:
        return o.call(f"real_of_{dtype}")(value, printer)
    return o.prefix("(float)", o.ATOM)(value, printer)


def _to_float_lanes(value: Expr, printer: o.Printer) -> tuple[str, int]:
    dtype = value.args[0].dtype
    name = f"wide_{dtype}" if dtype.is_narrow else f"to_float_{LETTERS[dtype]}"
    return o.call(name)(value, printer)


_QUARTERS = (-7, -6, -5, -3, -2, -1)
"""Of powers that are computed without a logarithm: local responses have them."""


def is_quarter_power(value: Expr) -> bool:
    """Whether it is one of those powers."""
    if value.op != "pow" or value.args[1].op != "const" or value.args[1].value is None:
        return False
    return 4 * value.args[1].value in _QUARTERS


def _power(letter: str) -> o.Spell:

    def spell(value: Expr, printer: o.Printer) -> tuple[str, int]:
        base, power = value.args
        if power.op == "const" and power.value == -1:
            return f"1.0f / {printer.expr(base, o.ATOM)}", o.PRODUCT
        if is_quarter_power(value) and power.value is not None:
            return f"quarter_power_{letter}({printer.expr(base)}, {int(4 * power.value)})", o.ATOM
        return o.call(f"pow_{letter}")(value, printer)

    return spell


_OWN = ("exp", "log", "log1p", "expm1", "tanh", "sigmoid")
_FUNCTIONS = {n: f"{n}_real" for n in _OWN} | {"sqrt": "sqrtf", "floor": "floorf"}
_FUNCTIONS |= {"max": "larger", "min": "smaller", "abs": "magnitude", "rand": "philox_uniform"}

_OPERATORS = o.common_operators(COMPARISON)

SPELLING: dict[str, o.Spell] = {
    **_OPERATORS,
    **{op: o.call(name) for op, name in _FUNCTIONS.items()},
    "pow": _power("real"),
    "floordiv": _division("/", "quotient"),
    "mod": _division("%", "rest"),
    "neg": o.prefix("-", o.ATOM),
    "not": o.prefix("!", o.ATOM),
    "and": _logic("&&", AND, COMPARISON),
    "or": _logic("||", OR, COMPARISON),
    "where": _where,
    "to_float": _to_float,
    "to_f16": o.call("f16_of"),
    "to_bf16": o.call("bf16_of"),
    "to_int": o.prefix("(int32_t)", o.ATOM),
    "as_i32": o.prefix("(int32_t)", o.ATOM),  # of indices of 64 bits
}
"""Keyed like :data:`ir.primitives.PRIMITIVES`, but for the marks that only a gradient reads."""

_KEYWORDS = """auto break case char continue default do double else enum extern for goto if int long
register restrict short signed sizeof struct switch union unsigned volatile while given begin
end across program"""
RESERVED = {*_KEYWORDS.split(), *re.findall(r"\w+", prelude(2)), *_FUNCTIONS.values()}
"""Names that no variable has."""


_BY_LETTER = {"max": "larger", "min": "smaller", "abs": "magnitude"}
_BY_LETTER |= {"floordiv": "quotient", "mod": "rest", "to_int": "to_int"}
_LIBRARY = ("exp", "log", "log1p", "expm1", "sqrt", "tanh", "floor", "sigmoid", "rand")


def _by_letter(name: str) -> o.Spell:
    """A function for each type of lanes."""

    def spell(value: Expr, printer: o.Printer) -> tuple[str, int]:
        return o.call(f"{name}_{LETTERS[value.args[-1].dtype]}")(value, printer)

    return spell


_EXTREMES = {"gt": "above_f", "lt": "below_f"}


def _choice(value: Expr, printer: o.Printer) -> tuple[str, int]:
    """By a condition, or the greater or lesser of two floats: the second where they cannot be
    compared."""
    condition, a, b = value.args
    if condition.op in _EXTREMES and condition.args == (a, b) and a.dtype.is_float:
        return f"{_EXTREMES[condition.op]}({printer.expr(a)}, {printer.expr(b)})", o.ATOM
    return _by_letter("choose")(value, printer)


def _shifted(value: Expr, printer: o.Printer) -> tuple[str, int]:
    """Lanes of two vectors, from a number on."""
    return f"shifted_{LETTERS[value.dtype]}({printer.operands(value)}, {value.value})", o.ATOM


VECTOR_SPELLING: dict[str, o.Spell] = {
    **_OPERATORS,
    **{op: _by_letter(name) for op, name in _BY_LETTER.items()},
    **{op: o.call(f"{op}_f") for op in _LIBRARY},
    "pow": _power("f"),
    "where": _choice,
    "to_float": _to_float_lanes,
    "to_f16": o.call("narrow_f16"),
    "to_bf16": o.call("narrow_bf16"),
    "neg": o.prefix("-", o.ATOM),
    "not": o.prefix("~", o.ATOM),
    "and": _logic("&", AND, o.SUM),
    "or": _logic("|", OR, o.SUM),
    "shifted": _shifted,
    "rounded": o.call("rounded_f"),
    "order_key": o.call("order_key_f"),
    "nearest_quotient": _OPERATORS["div"],
    "as_i32": o.call(""),  # they have 32 bits
}
"""Of operations on vectors."""

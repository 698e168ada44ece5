"""How Triton spells the primitives of scalar expressions: one table.

Nothing here needs a device library: what Triton's language lacks is a helper function
(:mod:`.helpers`) made of its primitives, so that compiler and interpreter agree.
"""

from __future__ import annotations

import keyword
import math

from compiler.kernels import operators as o
from compiler.kernels.expressions import axes_of
from ir.expr import Expr
from ir.types import DType

from .helpers import HELPERS

COMPARISON, OR, AND = 1, 2, 3  # of operators: Python's order

RESERVED = frozenset({"tl", "triton", "range", "float", *keyword.kwlist, *HELPERS})
"""Names that no variable has."""

TRITON_TYPES = {
    DType.F32: "tl.float32",
    DType.F16: "tl.float16",
    DType.BF16: "tl.bfloat16",
    DType.I32: "tl.int32",
    DType.U32: "tl.uint32",
    DType.BOOL: "tl.int1",
}


LITERALS = {"true": "True", "false": "False", "real": "{}"}
LITERALS |= {"nan": 'float("nan")', "inf": 'float("inf")', "-inf": '-float("inf")'}


def _extreme(name: str) -> o.Spell:
    # tl.maximum loses NaN unless told.
    def spell(e: Expr, printer: o.Printer) -> tuple[str, int]:
        nan = ", propagate_nan=tl.PropagateNan.ALL" if e.dtype.is_float else ""
        return f"{name}({printer.operands(e)}{nan})", o.ATOM

    return spell


def _cast(e: Expr, printer: o.Printer) -> tuple[str, int]:
    return f"tl.cast({printer.operands(e)}, {TRITON_TYPES[e.dtype]})", o.ATOM


def _self(e: Expr, printer: o.Printer) -> tuple[str, int]:
    return printer.expr(e.args[0], o.ATOM), o.ATOM


_POWERS = {2.0: "({0} * {0})", 3.0: "({0} * {0} * {0})", 0.5: "tl.sqrt_rn({0})"}
_POWERS |= {-0.5: "(1.0 / tl.sqrt_rn({0}))", -1.0: "(1.0 / {0})"}


def _power(e: Expr, printer: o.Printer) -> tuple[str, int]:
    base, exponent = e.args
    if exponent.op == "const" and exponent.value in _POWERS:  # needs no logarithm
        return _POWERS[exponent.value].format(printer.expr(base, o.ATOM)), o.ATOM
    return o.helper("power")(e, printer)


def _remainder(e: Expr, printer: o.Printer) -> tuple[str, int]:
    """By a constant, of a scalar that has a name, as a difference: Triton 3.6 sees of that, not of
    ``%``, that a multiple of 16 stays one, which lets a tile be read by 16 bytes."""
    a, b = (printer.expr(value, o.ATOM) for value in e.args)
    scalar = not axes_of(e.args[0]) and a.isidentifier()
    if e.dtype.is_float or e.args[1].op != "const" or not scalar:
        return o.infix("%", o.PRODUCT)(e, printer)
    return f"{a} - {a} // {b} * {b}", o.SUM


def _quotient(e: Expr, printer: o.Printer) -> tuple[str, int]:
    """By a literal to the nearest, as everywhere else: ``/`` may be off by the last bit, and where
    extents are divided a whole number then is none."""
    b = e.args[1]
    if b.op != "const" or math.frexp(abs(b.value))[0] == 0.5:  # a power of two is exact
        return o.infix("/", o.PRODUCT)(e, printer)
    return f"tl.div_rn({printer.operands(e)})", o.ATOM


SPELLING: dict[str, o.Spell] = {
    **o.common_operators(COMPARISON),
    "div": _quotient,
    "floordiv": o.infix("//", o.PRODUCT),
    "mod": _remainder,
    "max": _extreme("tl.maximum"),
    "min": _extreme("tl.minimum"),
    "pow": _power,
    "neg": o.prefix("-"),
    "abs": o.call("tl.abs"),
    "exp": o.call("tl.exp"),
    "log": o.call("tl.log"),
    "log1p": o.helper("log1p"),
    "expm1": o.helper("expm1"),
    "sqrt": o.call("tl.sqrt_rn"),
    "tanh": o.helper("tanh"),
    "sigmoid": o.helper("sigmoid"),
    "floor": o.call("tl.floor"),
    "and": o.infix("&", AND),
    "or": o.infix("|", OR),
    "not": lambda e, printer: (f"({printer.expr(e.args[0], o.SUM)} == 0)", o.ATOM),
    "where": o.call("tl.where"),
    "to_float": _cast,
    "to_f16": _cast,
    "to_bf16": _cast,
    "to_int": _cast,
    "rand": o.helper("philox_uniform"),
    "stop": _self,
    "grad_as": _self,
}
"""Keyed like :data:`ir.primitives.PRIMITIVES`, completely (a test compares the keys)."""

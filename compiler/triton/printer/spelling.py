"""How Triton spells the primitives of scalar expressions: one table.

Nothing here needs a device library: what Triton's language lacks is a helper function
(:mod:`.helpers`) made of its primitives, so that compiler and interpreter agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ir.expr import Expr, Number
from ir.types import BOOL, DType

from .writer import Writer

Spell = Callable[[Writer, Expr, Sequence[str]], str]

TRITON_TYPES = {
    DType.F32: "tl.float32",
    DType.F16: "tl.float16",
    DType.I32: "tl.int32",
    DType.U32: "tl.uint32",
    DType.BOOL: "tl.int1",
}


def literal(value: Number, dtype: DType) -> str:
    """A literal; negative ones in parentheses."""
    if dtype is BOOL:
        return "True" if value else "False"
    if not dtype.is_float:
        text = str(int(value))
    elif math.isnan(value):
        return 'float("nan")'
    elif math.isinf(value):
        text = 'float("inf")' if value > 0 else '-float("inf")'
    else:
        text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def _infix(symbol: str) -> Spell:
    return lambda w, e, a: f"({a[0]} {symbol} {a[1]})"


def _call(name: str) -> Spell:
    return lambda w, e, a: f"{name}({', '.join(a)})"


def _helper(name: str) -> Spell:
    return lambda w, e, a: f"{w.helper(name)}({', '.join(a)})"


def _extreme(name: str) -> Spell:
    # tl.maximum loses NaN unless told.
    def spell(w: Writer, e: Expr, a: Sequence[str]) -> str:
        nan = ", propagate_nan=tl.PropagateNan.ALL" if e.dtype.is_float else ""
        return f"{name}({a[0]}, {a[1]}{nan})"

    return spell


def _pow(w: Writer, e: Expr, a: Sequence[str]) -> str:
    exponent = e.args[1]
    value = exponent.value if exponent.op == "const" else None
    if value == 2.0:
        return f"({a[0]} * {a[0]})"
    if value == 3.0:
        return f"({a[0]} * {a[0]} * {a[0]})"
    if value == 0.5:
        return f"tl.sqrt_rn({a[0]})"
    if value == -0.5:
        return f"(1.0 / tl.sqrt_rn({a[0]}))"
    if value == -1.0:
        return f"(1.0 / {a[0]})"
    return f"{w.helper('power')}({a[0]}, {a[1]})"


def _rand(w: Writer, e: Expr, a: Sequence[str]) -> str:
    return f"{w.helper('philox_uniform')}({', '.join(a)})"


def _cast(w: Writer, e: Expr, a: Sequence[str]) -> str:
    return f"tl.cast({a[0]}, {TRITON_TYPES[e.dtype]})"


SPELLING: dict[str, Spell] = {
    "add": _infix("+"),
    "sub": _infix("-"),
    "mul": _infix("*"),
    "div": _infix("/"),
    "floordiv": _infix("//"),
    "mod": _infix("%"),
    "max": _extreme("tl.maximum"),
    "min": _extreme("tl.minimum"),
    "pow": _pow,
    "neg": lambda w, e, a: f"(-{a[0]})",
    "abs": _call("tl.abs"),
    "exp": _call("tl.exp"),
    "log": _call("tl.log"),
    "log1p": _helper("log1p"),
    "expm1": _helper("expm1"),
    "sqrt": _call("tl.sqrt_rn"),
    "tanh": _helper("tanh"),
    "sigmoid": _helper("sigmoid"),
    "floor": _call("tl.floor"),
    "lt": _infix("<"),
    "le": _infix("<="),
    "gt": _infix(">"),
    "ge": _infix(">="),
    "eq": _infix("=="),
    "ne": _infix("!="),
    "and": _infix("&"),
    "or": _infix("|"),
    "not": lambda w, e, a: f"({a[0]} == 0)",
    "where": _call("tl.where"),
    "to_float": _cast,
    "to_int": _cast,
    "rand": _rand,
    "stop": lambda w, e, a: a[0],
    "grad_as": lambda w, e, a: a[0],
}
"""Keyed like :data:`ir.expr.PRIMITIVES`, completely (a test compares the keys)."""

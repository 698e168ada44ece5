"""How Triton spells the primitives of scalar expressions: one table.

Nothing here needs a device library: what Triton's language lacks is a helper function
(:mod:`.helpers`) made of its primitives, so that compiler and interpreter agree.
"""

from __future__ import annotations

import keyword
from collections.abc import Sequence

from compiler.kernels import operators as o
from ir.expr import Expr
from ir.types import DType

from .helpers import HELPERS

COMPARISON, OR, AND = 1, 2, 3  # of operators: Python's order

RESERVED = frozenset({"tl", "triton", "range", "float", *keyword.kwlist, *HELPERS})
"""Names that no variable has."""

TRITON_TYPES = {
    DType.F32: "tl.float32",
    DType.F16: "tl.float16",
    DType.I32: "tl.int32",
    DType.U32: "tl.uint32",
    DType.BOOL: "tl.int1",
}


LITERALS = {"true": "True", "false": "False", "real": "{}"}
LITERALS |= {"nan": 'float("nan")', "inf": 'float("inf")', "-inf": '-float("inf")'}


def _extreme(name: str) -> o.Spell:
    # tl.maximum loses NaN unless told.
    def spell(e: Expr, ask: o.Ask) -> tuple[str, int]:
        nan = ", propagate_nan=tl.PropagateNan.ALL" if e.dtype.is_float else ""
        return f"{name}({ask(e.args[0], o.ANY)}, {ask(e.args[1], o.ANY)}{nan})", o.ATOM

    return spell


def _cast(e: Expr, ask: o.Ask) -> tuple[str, int]:
    return f"tl.cast({ask(e.args[0], o.ANY)}, {TRITON_TYPES[e.dtype]})", o.ATOM


def _self(e: Expr, ask: o.Ask) -> tuple[str, int]:
    return ask(e.args[0], o.ATOM), o.ATOM


_POWERS = {2.0: "({0} * {0})", 3.0: "({0} * {0} * {0})", 0.5: "tl.sqrt_rn({0})"}
_POWERS |= {-0.5: "(1.0 / tl.sqrt_rn({0}))", -1.0: "(1.0 / {0})"}


POWER = o.FunctionCall("power", is_helper=True)


def whole_power(operands: Sequence[Expr], ask: o.Ask) -> str:
    """A power with an exponent that needs no logarithm; empty for others."""
    base, exponent = operands
    text = _POWERS.get(exponent.value, "") if exponent.op == "const" else ""
    return text.format(ask(base, o.ATOM)) if text else ""


SPELLING: dict[str, o.Spelling] = {
    **o.common_operators(COMPARISON),
    "floordiv": o.Infix("//", o.PRODUCT),
    "mod": o.Infix("%", o.PRODUCT),
    "max": _extreme("tl.maximum"),
    "min": _extreme("tl.minimum"),
    "pow": POWER,
    "neg": o.Prefix("-"),
    "abs": o.FunctionCall("tl.abs"),
    "exp": o.FunctionCall("tl.exp"),
    "log": o.FunctionCall("tl.log"),
    "log1p": o.FunctionCall("log1p", is_helper=True),
    "expm1": o.FunctionCall("expm1", is_helper=True),
    "sqrt": o.FunctionCall("tl.sqrt_rn"),
    "tanh": o.FunctionCall("tanh", is_helper=True),
    "sigmoid": o.FunctionCall("sigmoid", is_helper=True),
    "floor": o.FunctionCall("tl.floor"),
    "and": o.Infix("&", AND),
    "or": o.Infix("|", OR),
    "not": lambda e, ask: (f"({ask(e.args[0], o.SUM)} == 0)", o.ATOM),
    "where": o.FunctionCall("tl.where"),
    "to_float": _cast,
    "to_int": _cast,
    "rand": o.FunctionCall("philox_uniform", is_helper=True),
    "stop": _self,
    "grad_as": _self,
}
"""Keyed like :data:`ir.expr.PRIMITIVES`, completely (a test compares the keys)."""

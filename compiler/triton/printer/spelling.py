"""How Triton spells the primitives of scalar expressions: one table.

Nothing here needs a device library: what Triton's language lacks is a helper function
(:mod:`.helpers`) made of its primitives, so that compiler and interpreter agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from ir.expr import Expr, Number
from ir.types import BOOL, DType


class Binding(IntEnum):
    """How tightly Python binds: what binds less than its place asks for stands in parentheses."""

    ANY = 0
    COMPARISON = 1
    OR = 2
    AND = 3
    SUM = 4
    PRODUCT = 5
    UNARY = 6
    ATOM = 7


@dataclass(frozen=True, slots=True)
class Infix:
    symbol: str
    binding: Binding

    @property
    def operands(self) -> tuple[Binding, Binding]:
        """How tightly they have to bind. Python would chain comparisons of comparisons."""
        right = Binding(self.binding + 1)
        return (right if self.binding is Binding.COMPARISON else self.binding), right


@dataclass(frozen=True, slots=True)
class Function:
    """A function of Triton's, or a helper."""

    name: str
    is_helper: bool = False


Ask = Callable[[Expr, Binding], str]  # the text of an operand, as it may stand in its place
Spell = Callable[[Expr, Ask], str]

TRITON_TYPES = {
    DType.F32: "tl.float32",
    DType.F16: "tl.float16",
    DType.I32: "tl.int32",
    DType.U32: "tl.uint32",
    DType.BOOL: "tl.int1",
}


def literal(value: Number, dtype: DType) -> str:
    if dtype is BOOL:
        return "True" if value else "False"
    if not dtype.is_float:
        return str(int(value))
    if math.isnan(value):
        return 'float("nan")'
    if math.isinf(value):
        return 'float("inf")' if value > 0 else '-float("inf")'
    return repr(float(value))


def _extreme(name: str) -> Spell:
    # tl.maximum loses NaN unless told.
    def spell(e: Expr, ask: Ask) -> str:
        nan = ", propagate_nan=tl.PropagateNan.ALL" if e.dtype.is_float else ""
        return f"{name}({ask(e.args[0], Binding.ANY)}, {ask(e.args[1], Binding.ANY)}{nan})"

    return spell


def _cast(e: Expr, ask: Ask) -> str:
    return f"tl.cast({ask(e.args[0], Binding.ANY)}, {TRITON_TYPES[e.dtype]})"


def _self(e: Expr, ask: Ask) -> str:
    return ask(e.args[0], Binding.ATOM)


_POWERS = {2.0: "({0} * {0})", 3.0: "({0} * {0} * {0})", 0.5: "tl.sqrt_rn({0})"}
_POWERS |= {-0.5: "(1.0 / tl.sqrt_rn({0}))", -1.0: "(1.0 / {0})"}


def whole_power(e: Expr, ask: Ask) -> str:
    """A power with an exponent that needs no logarithm; empty for others."""
    exponent = e.args[1]
    text = _POWERS.get(exponent.value, "") if exponent.op == "const" else ""
    return text.format(ask(e.args[0], Binding.ATOM)) if text else ""


SPELLING: dict[str, Infix | Function | Spell] = {
    "add": Infix("+", Binding.SUM),
    "sub": Infix("-", Binding.SUM),
    "mul": Infix("*", Binding.PRODUCT),
    "div": Infix("/", Binding.PRODUCT),
    "floordiv": Infix("//", Binding.PRODUCT),
    "mod": Infix("%", Binding.PRODUCT),
    "max": _extreme("tl.maximum"),
    "min": _extreme("tl.minimum"),
    "pow": Function("power", is_helper=True),
    "neg": lambda e, ask: f"-{ask(e.args[0], Binding.UNARY)}",
    "abs": Function("tl.abs"),
    "exp": Function("tl.exp"),
    "log": Function("tl.log"),
    "log1p": Function("log1p", is_helper=True),
    "expm1": Function("expm1", is_helper=True),
    "sqrt": Function("tl.sqrt_rn"),
    "tanh": Function("tanh", is_helper=True),
    "sigmoid": Function("sigmoid", is_helper=True),
    "floor": Function("tl.floor"),
    "lt": Infix("<", Binding.COMPARISON),
    "le": Infix("<=", Binding.COMPARISON),
    "gt": Infix(">", Binding.COMPARISON),
    "ge": Infix(">=", Binding.COMPARISON),
    "eq": Infix("==", Binding.COMPARISON),
    "ne": Infix("!=", Binding.COMPARISON),
    "and": Infix("&", Binding.AND),
    "or": Infix("|", Binding.OR),
    "not": lambda e, ask: f"({ask(e.args[0], Binding.SUM)} == 0)",
    "where": Function("tl.where"),
    "to_float": _cast,
    "to_int": _cast,
    "rand": Function("philox_uniform", is_helper=True),
    "stop": _self,
    "grad_as": _self,
}
"""Keyed like :data:`ir.expr.PRIMITIVES`, completely (a test compares the keys)."""

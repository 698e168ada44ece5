"""Random scalar expressions: every primitive, of arguments at which it is smooth and finite.

What jumps (comparisons, ``floor``, ``to_int``) is asked of arguments as they are, never of computed
ones: rounding would decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.types import BOOL, F32, I32, U32, DType

from .growth import Growth

_NUMBERS = (1.0, 0.0, 0.5, -1.0, -0.25, 2.0)
_COMPARISONS = ("gt", "lt", "le", "ge", "eq", "ne")

_FLOATS: dict[str, Callable[..., Expr]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (e.absolute(b) + 1.0),
    "max": e.maximum,
    "min": e.minimum,
    "pow": lambda a, b: e.power(e.absolute(a) + 0.5, e.tanh(b)),
    "neg": lambda a: -a,
    "abs": e.absolute,
    "exp": lambda a: e.exp(e.minimum(a, 2.0)),
    "log": lambda a: e.log(e.absolute(a) + 0.5),
    "log1p": lambda a: e.unary("log1p", e.absolute(a)),
    "expm1": lambda a: e.unary("expm1", e.minimum(a, 2.0)),
    "sqrt": lambda a: e.sqrt(e.absolute(a) + 0.25),
    "tanh": e.tanh,
    "sigmoid": e.sigmoid,
    "stop": e.stop,
    "grad_as": e.grad_as,
}
_ONE = {"neg", "abs", "exp", "log", "log1p", "expm1", "sqrt", "tanh", "sigmoid", "stop"}
_EXPONENTS = (2.0, 3.0, 0.5, -0.5, -1.0, 1.0, 0.0, 1.75)


class Expressions:
    """Draws expressions over inputs of a map whose result has ``rank`` axes."""

    def __init__(self, growth: Growth, inputs: Sequence[Value], rank: int) -> None:
        self.g = growth
        self.inputs = inputs
        self.rank = rank

    def of(self, dtype: DType) -> Expr:
        """An expression of this type."""
        if dtype is F32:
            return self.real(self.g.number(0, 3))
        if dtype is BOOL:
            return self.truth(2)
        if dtype is U32:
            return self.word()
        # A larger number would overflow after a few products.
        return e.minimum(e.maximum(self.whole(2), -100), 100)

    def _arguments(self, dtype: DType) -> list[Expr]:
        found = [i for i, v in enumerate(self.inputs) if v.type.dtype is dtype]
        return [e.arg(i, dtype) for i in found]

    def _number(self) -> Expr:
        number = self.g.choice(*_NUMBERS)
        return e.dyn(number) if self.g.flag() else e.const(number)

    def leaf(self) -> Expr:
        """An argument, a literal, or a place as a float."""
        options = self._arguments(F32)
        kind = self.g.number(0, 5)
        if options and kind < 4:
            return self.g.choice(*options)
        return self._number() if kind < 5 else e.to_float(self.whole(0))

    def real(self, depth: int) -> Expr:
        if depth == 0:
            return self.leaf()
        name = self.g.choice(*_FLOATS, "where", "floor", "power", "random", "truth", "whole")
        if name == "where":
            return e.where(self.truth(1), self.real(depth - 1), self.real(depth - 1))
        if name == "floor":
            return e.unary("floor", self.leaf())
        if name == "power":
            base = e.absolute(self.real(depth - 1)) + 0.5
            return e.power(base, self.g.choice(*_EXPONENTS))
        if name == "random":
            return self.random()
        if name == "truth":
            return e.to_float(self.truth(1))
        if name == "whole":
            return e.to_float(self.whole(1))
        count = 1 if name in _ONE else 2
        return _FLOATS[name](*(self.real(depth - 1) for _ in range(count)))

    def random(self) -> Expr:
        """Uniform numbers: a seed, the element, a stream and the number of the pass."""
        seeds = self._arguments(U32)
        seed = self.g.choice(*seeds) if seeds else e.const(7, U32)
        return e.rand(seed, e.linear(), self.g.number(0, 3), self.whole(0))

    def truth(self, depth: int) -> Expr:
        options = self._arguments(BOOL)
        kind = self.g.number(0, 5) if depth else 0
        if kind == 4:
            return ~self.truth(depth - 1)
        if kind == 5:
            a, b = self.truth(depth - 1), self.truth(depth - 1)
            return a & b if self.g.flag() else a | b
        if options and kind < 2:
            return self.g.choice(*options)
        test = self.g.choice(*_COMPARISONS)
        if self.g.flag():
            return e.binary(test, self.whole(0), self.whole(0))
        return e.binary(test, self.leaf(), self.leaf())

    def word(self) -> Expr:
        options = self._arguments(U32)
        base = self.g.choice(*options) if options else e.const(3, U32)
        return base + e.const(1, U32) if self.g.flag() else base

    def whole(self, depth: int) -> Expr:
        """An i32, small if the arguments are."""
        if depth == 0:
            kind = self.g.number(0, 4)
            options = self._arguments(I32)
            if options and kind < 2:
                return e.minimum(e.maximum(self.g.choice(*options), -100), 100)
            if kind == 3 and self.rank:
                return e.index(self.g.number(0, self.rank - 1))
            return e.linear() if kind == 4 else e.const(self.g.number(0, 3))
        kind = self.g.choice(
            "add", "sub", "mul", "max", "min", "neg", "abs", "floordiv", "mod", "where", "to_int"
        )
        if kind == "to_int":
            return e.to_int(e.maximum(e.minimum(self.leaf(), 50.0), -50.0))
        if kind == "where":
            return e.where(self.truth(0), self.whole(depth - 1), self.whole(depth - 1))
        a = self.whole(depth - 1)
        if kind in ("neg", "abs"):
            return e.unary(kind, a)
        if kind in ("floordiv", "mod"):  # of numbers that are not negative
            return e.binary(kind, e.absolute(a), self.g.choice(2, 3, 1))
        return e.binary(kind, a, self.whole(depth - 1))

"""A number with a fraction that follows from sizes: ``1.0 / (N * H)``.

Not in a canonical form: it is computed as it was written, so that its value is Python's to the
last bit. To the type checker it is a float.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

if TYPE_CHECKING:
    _Base = float
else:
    _Base = object


class Real(_Base):
    """``left op right``, whose operands are sizes, reals and numbers."""

    __slots__ = ("op", "left", "right", "value")

    def __init__(self, op: str, left: float, right: float) -> None:
        self.op, self.left, self.right = op, left, right
        self.value = self.compute(value_of(left), value_of(right))

    def compute(self, left: float, right: float) -> float:
        """The operation with numbers."""
        return _OPERATIONS[self.op](left, right)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for the same computation with the same sizes."""
        return self.op, *(
            x.key if isinstance(x, Real) else repr(x) if isinstance(x, int | float) else id(x)
            for x in (self.left, self.right)
        )

    def __add__(self, other: float) -> Real:
        return Real("+", self, other)

    def __radd__(self, other: float) -> Real:
        return Real("+", other, self)

    def __sub__(self, other: float) -> Real:
        return Real("-", self, other)

    def __rsub__(self, other: float) -> Real:
        return Real("-", other, self)

    def __mul__(self, other: float) -> Real:
        return Real("*", self, other)

    def __rmul__(self, other: float) -> Real:
        return Real("*", other, self)

    def __truediv__(self, other: float) -> Real:
        return Real("/", self, other)

    def __rtruediv__(self, other: float) -> Real:
        return Real("/", other, self)

    def __float__(self) -> float:
        """The number: fixes the sizes in it."""
        float(self.left)
        float(self.right)
        return self.value

    def __eq__(self, other: object) -> bool:
        return other is self or (isinstance(other, int | float) and float(self) == other)

    def __lt__(self, other: float) -> bool:
        return float(self) < other

    def __le__(self, other: float) -> bool:
        return float(self) <= other

    def __gt__(self, other: float) -> bool:
        return float(self) > other

    def __ge__(self, other: float) -> bool:
        return float(self) >= other

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def value_of(number: Any) -> Any:
    """What a number is at the sizes at hand; nothing is recorded."""
    return getattr(number, "value", number)

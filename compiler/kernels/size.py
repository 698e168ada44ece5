"""Sizes that move: products of symbols, known as numbers only where a kernel is launched.

An extent of a tensor is either a constant of the kernel's text (channels, windows) or a
:class:`Symbol`, a kernel argument. Strides are products of extents, so a :class:`Size` is an
integer factor times powers of symbols. Equality is structural: two extents that merely have
the same number today are different sizes, which keeps the text the same for every shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Symbol:
    """An extent or amount that is a kernel argument. Compared by ``number``."""

    number: int
    value: int = field(compare=False)
    hint: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class Size:
    """``factor`` times the product of ``symbol ** power``; always a whole number."""

    factor: int | Fraction
    powers: tuple[tuple[Symbol, int], ...] = ()

    @staticmethod
    def of(number: int | Symbol) -> Size:
        if isinstance(number, Symbol):
            return Size(1, ((number, 1),))
        return Size(number)

    @property
    def constant(self) -> int | None:
        """The number, where it is part of the kernel's text."""
        return int(self.factor) if not self.powers else None

    @property
    def value(self) -> int:
        """The number at the shapes of this launch."""
        result = Fraction(self.factor)
        for symbol, power in self.powers:
            if symbol.value == 0:
                return 0
            result *= Fraction(symbol.value) ** power
        return int(result)

    def __mul__(self, other: Size) -> Size:
        factor = _whole(self.factor * other.factor)
        if not self.powers or not other.powers:
            return Size(factor, self.powers or other.powers)
        powers: dict[Symbol, int] = dict(self.powers)
        for symbol, power in other.powers:
            powers[symbol] = powers.get(symbol, 0) + power
        kept = sorted(((s, p) for s, p in powers.items() if p), key=lambda item: item[0].number)
        return Size(factor, tuple(kept))

    def __truediv__(self, other: Size) -> Size:
        inverse = Size(_whole(Fraction(1) / other.factor), tuple((s, -p) for s, p in other.powers))
        return self * inverse

    def __neg__(self) -> Size:
        return Size(-self.factor, self.powers)


def _whole(factor: int | Fraction) -> int | Fraction:
    return int(factor) if factor.denominator == 1 else factor


ONE = Size.of(1)


def product(sizes: Iterable[Size]) -> Size:
    return math.prod(sizes, start=ONE)

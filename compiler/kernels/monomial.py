"""Sizes as kernels have them: products of arguments.

An extent of a tensor is a number, which is a constant of the kernel's text, or a size of
:mod:`ir.size`, of which the kernel takes the factors as arguments. Strides are products of extents,
so a :class:`Monomial` is an integer times powers of symbols.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


@dataclass(frozen=True, slots=True, eq=False)
class Amount:
    """An extent, or another amount, that is a kernel argument.

    ``number``: by which they are in order. ``size``: it may hold symbols of the graph.
    """

    number: int
    size: int
    hint: str = ""


class Monomial(NamedTuple):
    """``factor`` times the product of ``symbol ** power``; always a whole number."""

    factor: int | Fraction
    powers: tuple[tuple[Amount, int], ...] = ()

    @staticmethod
    def of(number: int | Amount) -> Monomial:
        if isinstance(number, Amount):
            return Monomial(1, ((number, 1),))
        return Monomial(number)

    @property
    def constant(self) -> int | None:
        """The number, where it is part of the kernel's text."""
        return int(self.factor) if not self.powers else None

    @property
    def hint(self) -> str:
        """A readable name."""
        simple = all(amount.hint and power == 1 for amount, power in self.powers)
        return "_".join(amount.hint for amount, _ in self.powers) if simple else "extent"

    @property
    def size(self) -> int:
        """With the symbols that extents have."""
        above = math.prod(a.size for a, p in self.powers for _ in range(p))
        below = math.prod(a.size for a, p in self.powers for _ in range(-p))
        above, below = self.factor.numerator * above, self.factor.denominator * below
        return above if below == 1 or above == 0 else above // below

    def __mul__(self, other: Monomial) -> Monomial:  # type: ignore[override]  # a tuple repeats
        if other is ONE:
            return self
        if self is ONE:
            return other
        factor = _whole(self.factor * other.factor)
        if not self.powers or not other.powers:
            return Monomial(factor, self.powers or other.powers)
        powers: dict[Amount, int] = dict(self.powers)
        for symbol, power in other.powers:
            powers[symbol] = powers.get(symbol, 0) + power
        kept = [item for item in powers.items() if item[1]]
        return Monomial(factor, tuple(sorted(kept, key=_number)))

    def __truediv__(self, other: Monomial) -> Monomial:
        inverse = Monomial(
            _whole(Fraction(1) / other.factor), tuple((s, -p) for s, p in other.powers)
        )
        return self * inverse

    def __neg__(self) -> Monomial:
        return Monomial(-self.factor, self.powers)


def _whole(factor: int | Fraction) -> int | Fraction:
    return factor if factor.__class__ is int or factor.denominator != 1 else int(factor)


def _number(power: tuple[Amount, int]) -> int:
    return power[0].number


ONE = Monomial.of(1)


def product(sizes: Iterable[Monomial]) -> Monomial:
    return math.prod(sizes, start=ONE)

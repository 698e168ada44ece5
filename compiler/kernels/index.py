"""Index arithmetic: affine forms over iteration ranges of a few base variables.

A kernel iterates over flat positions (``offs``, the rows of a tile, ...). A coordinate of a
tensor is an *iteration range* of such a base: ``(base // inner) % extent``. Going from
coordinates to an address multiplies iteration ranges by strides and adds them up; neighbouring
ones that meet again merge back (``n * CHW + (r % CHW)`` is the base itself), so index arithmetic
appears only where broadcasting or movement really needs it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ir.expr import Expr

from .expressions import Axes, axes_of
from .monomial import ONE, Monomial

Bound = Callable[[], Expr]  # a condition


@dataclass(frozen=True, slots=True)
class Base:
    """An integer variable (or literal) of the kernel that indices are made of.

    ``bounds`` say where it is inside its range (an address that depends on it without a
    remainder needs them). ``padded`` is the weaker bound of whole buffers, which are padded:
    enough where the base itself is the address. ``below``: it is always less; 0: nobody knows.
    ``parts``: what it is the sum of, where somebody may take them apart.
    """

    at: Expr
    bounds: tuple[Bound, ...] = field(default=(), compare=False)
    padded: Bound | None = field(default=None, compare=False)
    below: int = field(default=0, compare=False)
    parts: tuple[Expr, ...] = field(default=(), compare=False)

    @property
    def axes(self) -> Axes:
        return axes_of(self.at)


class IterationRange(NamedTuple):
    """``(base // inner) % extent``; without extent: the leading one, no remainder."""

    base: Base
    inner: Monomial = ONE
    extent: Monomial | None = None


class Affine(NamedTuple):
    """Sum of ``iteration range * weight``, plus sizes."""

    terms: tuple[tuple[IterationRange, Monomial], ...] = ()
    offsets: tuple[Monomial, ...] = ()

    @property
    def iteration_range(self) -> IterationRange | None:
        """The iteration range this is, if it is nothing else."""
        if len(self.terms) == 1 and not self.offsets and self.terms[0][1] == ONE:
            return self.terms[0][0]
        return None

    @property
    def constant(self) -> int | None:
        """The number that this is, if it is one."""
        numbers = [offset.constant for offset in self.offsets]
        if self.terms or None in numbers:
            return None
        return sum(number or 0 for number in numbers)

    @property
    def axes(self) -> Axes:
        return frozenset().union(*(r.base.axes for r, _ in self.terms))

    @property
    def is_zero(self) -> bool:
        return not self.terms and not self.offsets

    def shifted(self, amount: Monomial) -> Affine:
        """This plus an amount."""
        if amount.factor == 0:
            return self
        offsets = {o.powers: o for o in self.offsets}
        known = offsets.pop(amount.powers, None)
        total = Monomial(amount.factor + (known.factor if known else 0), amount.powers)
        if total.factor:
            offsets[total.powers] = total
        return Affine(self.terms, tuple(offsets.values()))

    def scaled(self, weight: Monomial) -> Affine:
        if weight is ONE:
            return self
        return Affine(
            tuple([(r, w * weight) for r, w in self.terms]),
            tuple([o * weight for o in self.offsets]),
        )

    def plus(self, other: Affine) -> Affine:
        if not other.offsets:
            return Affine(self.terms + other.terms, self.offsets) if other.terms else self
        result = Affine(self.terms + other.terms, self.offsets)
        for offset in other.offsets:
            result = result.shifted(offset)
        return result


ZERO = Affine()


def variable(base: Base) -> Affine:
    return Affine(((IterationRange(base), ONE),))


def delinearize(base: Base, extents: Sequence[Monomial]) -> tuple[Affine, ...]:
    """Coordinates of the flat position ``base`` in a row-major space."""
    return split_range(IterationRange(base), extents)


def split_range(iteration_range: IterationRange, extents: Sequence[Monomial]) -> tuple[Affine, ...]:
    """Coordinates, row-major, of an iteration range that runs over the product of ``extents``."""
    leading = next((a for a, x in enumerate(extents) if x.constant != 1), None)
    result = [ZERO] * len(extents)
    inner = iteration_range.inner
    for axis in reversed(range(len(extents))):
        extent = extents[axis]
        if extent.constant != 1:
            whole = axis == leading and iteration_range.extent is None
            part = IterationRange(iteration_range.base, inner, None if whole else extent)
            result[axis] = Affine(((part, ONE),))
        inner = inner * extent
    return tuple(result)


def linearize(coordinates: Sequence[Affine], extents: Sequence[Monomial]) -> Affine:
    """Row-major flat index."""
    total = ZERO
    stride = ONE
    for coordinate, extent in zip(reversed(coordinates), reversed(extents), strict=True):
        total = coordinate.scaled(stride).plus(total)
        stride = stride * extent
    return merged(total)


def merged(index: Affine) -> Affine:
    """Neighbouring iteration ranges of one base whose weights fit become one."""
    terms = list(index.terms)
    while True:
        for i, j in itertools.permutations(range(len(terms)), 2):
            (high, high_weight), (low, low_weight) = terms[i], terms[j]
            if high.base is not low.base or low.extent is None:
                continue
            if high.inner == low.inner * low.extent and high_weight == low_weight * low.extent:
                extent = None if high.extent is None else high.extent * low.extent
                terms[i] = (IterationRange(low.base, low.inner, extent), low_weight)
                del terms[j]
                break
        else:
            return Affine(tuple(terms), index.offsets)

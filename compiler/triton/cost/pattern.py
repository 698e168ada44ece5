"""How a number in a kernel goes along the lanes of a tile: what its accesses to memory cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.kernels.expressions import Local

SECTOR = 32  # bytes that the caches move at least
WIDEST = 16  # bytes that one thread's access moves at most
ALIGNED = 1 << 20  # what is 0


class Slope(NamedTuple):
    """Along the lanes of one loop: how much it grows from one to the next, None where that is
    anything, and how many lanes it does so before it jumps."""

    step: float | None
    run: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """Of an expression.

    Attributes:
        number: what it is, where that is known and the same in all lanes.
        slopes: by the loops over lanes that it depends on.
        align: a power of two that it is known to be a multiple of in the first lane, whatever
            sizes are.
    """

    number: float | None = None
    slopes: Mapping[Local, Slope] = field(default_factory=dict)
    align: int = 1

    def plus(self, other: Pattern, sign: int = 1) -> Pattern:
        slopes = dict(self.slopes)
        for lane, (step, run) in other.slopes.items():
            before, length = slopes.get(lane, Slope(0, float("inf")))
            whole = None if step is None or before is None else before + sign * step
            slopes[lane] = Slope(whole, min(run, length))
        numbers = self.number, other.number
        known = None if None in numbers else numbers[0] + sign * numbers[1]  # type: ignore[operator]
        return Pattern(known, slopes, min(self.align, other.align))

    def multiplied(self, other: Pattern) -> Pattern:
        scalar, whole = (self, other) if not self.slopes else (other, self)
        factor = scalar.number
        if scalar.slopes or factor is None:
            return whole.among(scalar).anything()
        slopes = {
            lane: Slope(None if step is None else step * factor, run)
            for lane, (step, run) in whole.slopes.items()
        }
        number = None if whole.number is None else whole.number * factor
        return Pattern(number, slopes, min(self.align * other.align, ALIGNED))

    def divided(self, divisor: float | None) -> Pattern:
        """Rounded down."""
        if not divisor:
            return self.anything()
        number = None if self.number is None else self.number // divisor
        return Pattern(number, {k: _divided(s, divisor) for k, s in self.slopes.items()})

    def remainder(self, other: Pattern) -> Pattern:
        divisor = other.number
        if not divisor:
            return self.anything()
        number = None if self.number is None else self.number % divisor
        slopes = {k: _remainder(s, divisor) for k, s in self.slopes.items()}
        return Pattern(number, slopes, min(self.align, other.align))

    def anything(self) -> Pattern:
        """Of what depends on the same lanes, and changes where this does."""
        return Pattern(None, {lane: Slope(None, run) for lane, (_, run) in self.slopes.items()})

    def among(self, *others: Pattern) -> Pattern:
        """Of what depends on all lanes of several."""
        slopes = dict(self.slopes)
        for other in others:
            for lane, (step, run) in other.slopes.items():
                before = slopes.get(lane)
                slopes[lane] = Slope(step, min(run, before.run if before else run))
        return Pattern(None, slopes)


def _divided(slope: Slope, divisor: float) -> Slope:
    step, run = slope
    if step is None:
        return slope
    if step == 0:
        return Slope(0, run * divisor)
    if abs(step) >= divisor:
        return Slope(step // divisor, run)
    return Slope(0, min(run, divisor / abs(step)))


def _remainder(slope: Slope, divisor: float) -> Slope:
    step, run = slope
    if not step:
        return slope
    return Slope(step, max(1.0, min(run, divisor / abs(step))))


class LaneAccess(NamedTuple):
    """What one access of all lanes costs.

    ``wide``: elements that a thread moves at once. ``sectors``: those of the caches that are moved.
    """

    lanes: float
    wide: int
    sectors: float

    @property
    def instructions(self) -> float:
        """Of warps."""
        return self.lanes / 32 / self.wide


def lane_access(place: Pattern, extents: Mapping[Local, int], itemsize: int) -> LaneAccess:
    """``extents``: how many lanes there are, by the loops over them."""
    lanes = sectors = 1.0
    wide = 1
    fastest = min(place.slopes, key=lambda lane: _order(place.slopes[lane]), default=None)
    for lane, (step, run) in place.slopes.items():
        extent = extents.get(lane, 1)
        lanes *= extent
        jumps = 1 / max(1.0, min(run, extent))
        if lane is not fastest or step is None:
            sectors *= extent * (jumps if step == 0 else 1.0)
            continue
        apart = min(1.0, abs(step) * itemsize / SECTOR)
        sectors *= max(1.0, extent * min(1.0, max(apart, 0 if run >= extent else jumps)))
        if step == 1:
            wide = _wide(math.gcd(int(min(run, extent)), place.align), itemsize)
    return LaneAccess(lanes, wide, sectors)


def _order(slope: Slope) -> tuple[bool, float, float]:
    """What lies next to each other first."""
    step, run = slope
    return (not step, abs(step or 0), -run)


def _wide(run: int, itemsize: int) -> int:
    """The largest power of two that a run is a multiple of."""
    wide = WIDEST // itemsize
    while run % wide:
        wide //= 2
    return max(wide, 1)


def power_of_two(number: float) -> int:
    """The largest that divides it, up to a limit; 1 for what is no whole number."""
    if not number.is_integer():
        return 1
    whole = int(number)
    return min(whole & -whole, ALIGNED) if whole else ALIGNED

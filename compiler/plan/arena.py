"""Offsets in one arena for buffers that do not all live at once. A pure function."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ALIGNMENT = 256
"""Bytes. Every buffer starts on a multiple and is padded to one, so that kernels may run over
a count of elements rounded up to 16."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A buffer of ``size`` bytes that is in use from step ``first`` to step ``last``, both
    included."""

    id: int
    size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Arena:
    """Where each interval's buffer starts, and the bytes that all need together."""

    offsets: dict[int, int]
    total: int


def aligned(size: int) -> int:
    """``size`` rounded up to :data:`ALIGNMENT`."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def plan_arena(intervals: Sequence[Interval]) -> Arena:
    """Give every interval an offset so that buffers in use at one time do not overlap.

    Greedy: in a fixed order, each buffer goes into the smallest gap that holds it between those
    placed before. Of three orders (by size, by size times lifetime, by start) the best is kept.
    Never above the sum of all sizes; ids are unique.
    """
    best: Arena | None = None
    bound = lower_bound(intervals)
    for order in _ORDERS:
        arena = _place(sorted(intervals, key=order))
        if best is None or arena.total < best.total:
            best = arena
        if best.total == bound:
            break
    assert best is not None
    return best


def lower_bound(intervals: Sequence[Interval]) -> int:
    """The most bytes in use at one time: no plan can need less."""
    change: dict[int, int] = {}
    for i in intervals:
        change[i.first] = change.get(i.first, 0) + aligned(i.size)
        change[i.last + 1] = change.get(i.last + 1, 0) - aligned(i.size)
    live = most = 0
    for step in sorted(change):
        live += change[step]
        most = max(most, live)
    return most


_ORDERS: tuple[Callable[[Interval], tuple[int, ...]], ...] = (
    lambda i: (-i.size, i.first, -i.last),
    lambda i: (-i.size * (i.last - i.first + 1), -i.size, i.first),
    lambda i: (i.first, -i.size, -i.last),
)


def _place(intervals: Sequence[Interval]) -> Arena:
    offsets: dict[int, int] = {}
    # (start, end, first, last) of what is placed, by start.
    placed: list[tuple[int, int, int, int]] = []
    total = 0
    for interval in intervals:
        size = aligned(interval.size)
        first, last = interval.first, interval.last
        start = 0
        if size:
            found, smallest = -1, 0
            for begin, end, f, until in placed:
                if f > last or until < first:
                    continue
                gap = begin - start
                if gap >= size and (found < 0 or gap < smallest):
                    found, smallest = start, gap
                if end > start:
                    start = end
            if found >= 0:
                start = found
            bisect.insort(placed, (start, start + size, first, last))
            total = max(total, start + size)
        offsets[interval.id] = start
    return Arena(offsets, total)

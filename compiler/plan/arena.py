"""Arena planning: intervals in, offsets out. A pure function."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT = 256
"""Bytes. What cudaMalloc gives, and enough for every vector load."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A buffer of ``nbytes`` that holds something from step ``first`` to ``last``, both included."""

    id: int
    nbytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Arena:
    """Byte offset of every buffer by id, and the size of the whole."""

    offsets: dict[int, int]
    nbytes: int


def aligned(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def plan_arena(intervals: Sequence[Interval]) -> Arena:
    """Place buffers so that no two that live at the same step overlap.

    Greedy by size: the largest buffers first, each into the lowest gap that is free for the whole
    of its life (Pisarchyk and Lee, "Efficient memory management for deep neural net inference",
    2020). Deterministic: ties go to the earlier, then to the smaller id.
    """
    placed: list[tuple[int, int, Interval]] = []  # (offset, end, interval), by offset
    offsets: dict[int, int] = {}
    total = 0
    for new in sorted(intervals, key=lambda i: (-i.nbytes, i.first, i.id)):
        size = aligned(new.nbytes)
        position = 0
        for offset, end, other in placed:
            if other.last < new.first or new.last < other.first:
                continue
            if offset - position >= size:
                break
            position = max(position, end)
        offsets[new.id] = position
        bisect.insort(placed, (position, position + size, new), key=lambda p: (p[0], p[1]))
        total = max(total, position + size)
    return Arena(offsets, total)


def lower_bound(intervals: Sequence[Interval]) -> int:
    """The largest total that lives at one step: no plan can be smaller."""
    change: dict[int, int] = {}
    for i in intervals:
        change[i.first] = change.get(i.first, 0) + aligned(i.nbytes)
        change[i.last + 1] = change.get(i.last + 1, 0) - aligned(i.nbytes)
    live = peak = 0
    for step in sorted(change):
        live += change[step]
        peak = max(peak, live)
    return peak

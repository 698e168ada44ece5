"""Places in the ranks of a layout: in which order they stand, and where across the flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_GAP = 14.0
"""Pixels between two slots of a rank."""
_SWEEPS = 6


@dataclass(eq=False)
class Slot:
    """A place in a rank: a node's, or one that an arrow passes through, beside its label."""

    rank: int
    depth: float  # extent along the flow
    breadth: float  # extent across it
    line: float = 0.0  # where in it an arrow passes, from its middle
    side: float = 0.0  # of its breadth, what arrows share
    before: list[Slot] = field(default_factory=list)
    after: list[Slot] = field(default_factory=list)
    position: float = 0.0

    @property
    def passed(self) -> float:
        """Where an arrow passes, across the flow."""
        return self.position + self.line


def order_slots(columns: list[list[Slot]]) -> None:
    """Order each column so that few arrows cross, by the mean places of neighbours."""
    for column in columns:
        for index, slot in enumerate(column):
            slot.position = float(index)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for column in columns if down else reversed(columns):
            column.sort(key=lambda slot: _mean(slot.before if down else slot.after, slot.position))
            for index, slot in enumerate(column):
                slot.position = float(index)


def _mean(neighbours: Sequence[Slot], default: float) -> float:
    if not neighbours:
        return default
    return sum(slot.position for slot in neighbours) / len(neighbours)


def _wish(slot: Slot) -> float:
    """Where a slot would be straight ahead of its neighbours."""
    neighbours = [*slot.before, *slot.after]
    if not neighbours:
        return slot.position
    return sum(each.passed for each in neighbours) / len(neighbours) - slot.line


def place_slots(columns: list[list[Slot]]) -> None:
    """Find positions, in pixels across the flow, near to those of neighbours."""
    for column in columns:
        _settle(column, [slot.position for slot in column])
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            _settle(column, [_wish(slot) for slot in column])


def _settle(column: list[Slot], wanted: Sequence[float]) -> None:
    """As near as possible (least squares) to the wanted places, in order and without overlap."""
    offsets = [0.0]
    for first, second in pairwise(column):
        offsets.append(offsets[-1] + (first.breadth + second.breadth) / 2 + _GAP)
    # Without the gaps the places must not fall: pool neighbours that do (isotonic regression).
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        mean, count = place - offset, 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean = (before * size + mean * count) / (size + count)
            count += size
        pools.append((mean, count))
    settled = [mean for mean, count in pools for _ in range(count)]
    for slot, place, offset in zip(column, settled, offsets, strict=True):
        slot.position = place + offset

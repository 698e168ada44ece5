"""Parts of a memory block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""The first byte, and that after the last."""


class Ranges:
    """A set of bytes, as ranges that neither touch nor overlap, in order."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._all: list[Range] = []
        for start, stop in ranges:
            self.add(start, stop)

    def __iter__(self) -> Iterator[Range]:
        return iter(tuple(self._all))

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, start: int, stop: int) -> None:
        if start < stop:
            touching = [(a, b) for a, b in self._all if a <= stop and start <= b]
            apart = [(a, b) for a, b in self._all if not (a <= stop and start <= b)]
            joined = min([start, *(a for a, _ in touching)]), max([stop, *(b for _, b in touching)])
            self._all = sorted([*apart, joined])

    def remove(self, start: int, stop: int) -> None:
        if start < stop:
            left = [(a, min(b, start)) for a, b in self._all]
            right = [(max(a, stop), b) for a, b in self._all]
            self._all = sorted((a, b) for a, b in (*left, *right) if a < b)

    def inside(self, start: int, stop: int) -> list[Range]:
        """What of a range is in the set."""
        cut = ((max(a, start), min(b, stop)) for a, b in self._all)
        return [(a, b) for a, b in cut if a < b]

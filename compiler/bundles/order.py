"""Which launches of a plan may become one: decided by the buffers that its steps use."""

from __future__ import annotations

import bisect
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compiler.plan.plan import HostStep, Step

from .limits import MOST_ARGUMENTS, MOST_COMPLETED, MOST_PARTS


@dataclass(frozen=True, slots=True)
class Candidate:
    """A launch that may share one with others of its kind.

    ``held``: bytes that wait in memory if it runs at another time. ``arguments``: their number.
    ``completed``: bytes of diffs of parameters that are complete before it.
    """

    kind: Hashable
    held: int
    arguments: int
    completed: int = 0


class _Order:
    """Who must stay behind whom: what writes a buffer, behind and before all that use it."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._users: dict[int, list[int]] = {}
        self._writers: dict[int, list[int]] = {}
        # Host steps see what is outside of the plan.
        self._hosts = [i for i, step in enumerate(steps) if isinstance(step, HostStep)]
        for number, step in enumerate(steps):
            for found, buffers in ((self._users, step.uses), (self._writers, step.writes)):
                for buffer in dict.fromkeys(buffers):
                    found.setdefault(buffer, []).append(number)

    def end(self, number: int) -> int:
        """The first step behind this one that has to stay there."""
        step = self._steps[number]
        lists = [self._hosts, *(self._writers.get(buffer, []) for buffer in step.uses)]
        lists += [self._users[buffer] for buffer in step.writes]
        behind = (_next(numbers, number) for numbers in lists)
        return min((n for n in behind if n is not None), default=len(self._steps))


def _next(numbers: Sequence[int], number: int) -> int | None:
    place = bisect.bisect_right(numbers, number)
    return numbers[place] if place < len(numbers) else None


def delayed(
    steps: Sequence[Step], candidates: Mapping[int, Candidate], most_held: int
) -> Iterator[list[int]]:
    """Numbers of steps that become one launch each, where the last of them is now."""
    order = _Order(steps)
    waiting: dict[Hashable, list[int]] = {}
    ends: dict[int, int] = {}
    for number in sorted(candidates):
        candidate = candidates[number]
        before = waiting.setdefault(candidate.kind, [])
        due = [n for n in before if ends[n] <= number]
        yield from _several(due)
        kept = [n for n in before if ends[n] > number]
        if kept and not _have_room([*(candidates[n] for n in kept), candidate], most_held):
            yield from _several(kept)
            kept = []
        waiting[candidate.kind] = [*kept, number]
        ends[number] = order.end(number)
    for numbers in waiting.values():
        yield from _several(numbers)


def advanced(
    steps: Sequence[Step], candidates: Mapping[int, Candidate], most_held: int
) -> Iterator[list[int]]:
    """Likewise, where the first of them is now: from the end a delay is an advance."""
    last = len(steps) - 1
    turned = {last - number: candidate for number, candidate in candidates.items()}
    for numbers in delayed(steps[::-1], turned, most_held):
        yield [last - number for number in reversed(numbers)]


def _several(numbers: list[int]) -> Iterable[list[int]]:
    return [numbers] if len(numbers) > 1 else []


def _have_room(candidates: Sequence[Candidate], most_held: int) -> bool:
    return (
        len(candidates) <= MOST_PARTS
        and sum(c.arguments for c in candidates) <= MOST_ARGUMENTS
        and sum(c.held for c in candidates) <= most_held
        and abs(candidates[-1].completed - candidates[0].completed) <= MOST_COMPLETED
    )

"""Where the buffers of a plan lie: from its steps and sizes alone, so that it may be done again."""

from __future__ import annotations

from dataclasses import replace

from .arena import Interval, lower_bound, plan_arena
from .plan import ArenaLayout, Plan


def place_buffers(plan: Plan) -> Plan:
    """The plan with a place in one arena for each buffer that no port binds."""
    arena = plan_arena(lifetimes(plan))
    offsets = tuple(arena.offsets.get(number) for number in range(len(plan.buffers)))
    return replace(plan, memory=ArenaLayout(offsets, arena.total))


def lifetimes(plan: Plan) -> list[Interval]:
    """Of each buffer of the arena the first and the last step that uses it."""
    spans: dict[int, tuple[int, int]] = {}
    for number, step in enumerate(plan.steps):
        for buffer in step.uses:
            spans[buffer] = (spans.get(buffer, (number,))[0], number)
    return [
        Interval(buffer, plan.buffers[buffer].type.nbytes, *spans[buffer])
        for buffer in sorted(spans.keys() - plan.bound)
    ]


def least_memory(plan: Plan) -> int:
    """The most bytes of the arena that are in use at one time: no layout can need less."""
    return lower_bound(lifetimes(plan))

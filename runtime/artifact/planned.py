"""Where buffers lie at sizes that were named in advance: nothing has to be planned for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.plan.codec import from_json, to_json
from compiler.plan.plan import ArenaLayout, Plan
from compiler.plan.saved import plan_from_json, plan_to_json
from compiler.plan.saved_sizes import saved_plan_at

from .container import json_bytes, json_value

PLANNED = "planned.json"
MOST_PLANNED = 64


@dataclass(frozen=True, slots=True)
class PlannedSizes:
    """``sizes`` of all symbols; ``memory`` of each plan, by the name of its member."""

    sizes: dict[str, int]
    memory: dict[str, ArenaLayout]


Layouts = Mapping[tuple[tuple[str, int], ...], ArenaLayout]
"""Of one plan, by its sizes in order."""


def planned_sizes(
    plans: Mapping[str, Plan], wanted: Sequence[Mapping[str, int]]
) -> tuple[PlannedSizes, ...]:
    """Plan for sizes, by the names of the plans' members, as a reader would.

    Raises ValueError for sizes that a plan cannot have.
    """
    saved = {name: plan_from_json(plan_to_json(plan)) for name, plan in plans.items()}
    return tuple(
        PlannedSizes(
            dict(sizes), {name: saved_plan_at(plan, sizes).memory for name, plan in saved.items()}
        )
        for sizes in wanted
    )


def planned_members(planned: Sequence[PlannedSizes]) -> dict[str, bytes]:
    """The member that says it; none where there is nothing to say."""
    return {PLANNED: json_bytes(to_json(tuple(planned)))} if planned else {}


def read_planned(data: bytes, known: Mapping[str, int]) -> tuple[PlannedSizes, ...]:
    """Inverse of :func:`planned_members`; ``known`` are the symbols. Raises ValueError."""
    found: tuple[PlannedSizes, ...] = from_json(tuple[PlannedSizes, ...], json_value(data), PLANNED)
    if len(found) > MOST_PLANNED:
        raise ValueError(f"{PLANNED} is for {len(found)} sizes; {MOST_PLANNED} are the limit")
    for each in found:
        if each.sizes.keys() != known.keys():
            raise ValueError(f"{PLANNED} is for {each.sizes}, its sizes are {dict(known)}")
    return found


def layouts_of(planned: Sequence[PlannedSizes], plan: str) -> Layouts:
    """Those of one plan, by the name of its member."""
    return {sizes_key(each.sizes): each.memory[plan] for each in planned if plan in each.memory}


def sizes_key(sizes: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(sizes.items()))

"""A plan for one set of sizes as bytes, and back. What names things of the graph that it was made
of (the ops of host steps, the places of layers) names them by numbers of that graph's nodes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.kernel import Kernel
from compiler.plan.check import check_plan
from compiler.plan.codec import from_json, to_json
from compiler.plan.plan import Copy, Plan, Repeat, Step
from ir.graph import Node
from ir.graph_sizes import Substitution
from ir.op import Op


@dataclass(frozen=True)
class RunnablePlan:
    """``hosts``: what its host steps call, by their ``node``."""

    plan: Plan
    hosts: Mapping[int, Op]

    @property
    def kernels(self) -> Sequence[Kernel]:
        return self.plan.kernels


def encoded(plan: Plan, hosts: Mapping[int, Op], nodes: Sequence[Node]) -> bytes | None:
    """Of the graph's nodes before passes; None where a step leads to none of them.

    Args:
        hosts: ops of the nodes after passes, with their symbols.
    """
    known = {id(node.op): number for number, node in enumerate(nodes)}
    places = {str(node.location): number for number, node in reversed([*enumerate(nodes)])}
    ops = {node: known.get(id(op)) for node, op in hosts.items()}
    at: list[int | None] = []
    for place in (place for step in plan.steps for place in _places(step)):
        if place and place not in places:
            return None
        at.append(places[place] if place else None)
    if None in ops.values():
        return None
    plain = replace(plan, steps=tuple(_placed(step, itertools.repeat("")) for step in plan.steps))
    data = {"plan": to_json(plain), "places": at, "hosts": [[*item] for item in ops.items()]}
    return json.dumps(data, separators=(",", ":")).encode("utf-8", "surrogatepass")


def decoded(data: bytes, nodes: Sequence[Node], values: Mapping[str, int]) -> RunnablePlan:
    """Inverse of :func:`encoded`. Raises ValueError, IndexError, TypeError or KeyError for what it
    did not write."""
    read: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    plan: Plan = from_json(Plan, read["plan"], "plan")
    places = ["" if number is None else str(nodes[number].location) for number in read["places"]]
    if len(places) != sum(len(_places(step)) for step in plan.steps):
        raise ValueError("there is not a place for each launch")
    named = iter(places)
    plan = replace(plan, steps=tuple(_placed(step, named) for step in plan.steps))
    check_plan(plan)
    at = Substitution(values)
    return RunnablePlan(plan, {node: at.op(nodes[number].op) for node, number in read["hosts"]})


def _places(step: Step) -> list[str]:
    """Of the layers that a step comes from: one, of a repetition one for each launch."""
    if isinstance(step, Repeat):
        return [launch.location for launch in step.launches]
    return [] if isinstance(step, Copy) else [step.location]


def _placed(step: Step, places: Iterator[str]) -> Step:
    if isinstance(step, Repeat):
        moved = (replace(launch, location=next(places)) for launch in step.launches)
        return replace(step, launches=tuple(moved))
    return step if isinstance(step, Copy) else replace(step, location=next(places))

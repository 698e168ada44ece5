"""A plan for one set of sizes as bytes, and back. What names things of the graph that it was made
of (the ops of host steps, the places of layers) names them by numbers of that graph's nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.kernel import Kernel
from compiler.plan.check import check_plan
from compiler.plan.codec import from_json, to_json
from compiler.plan.plan import Copy, HostStep, Plan, PlanLaunch, Step
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
    for step in plan.steps:
        place = "" if isinstance(step, Copy) else step.location
        if place and place not in places:
            return None
        at.append(places[place] if place else None)
    if None in ops.values():
        return None
    plain = replace(plan, steps=tuple(_placed(step, "") for step in plan.steps))
    data = {"plan": to_json(plain), "places": at, "hosts": [[*item] for item in ops.items()]}
    return json.dumps(data, separators=(",", ":")).encode("utf-8", "surrogatepass")


def decoded(data: bytes, nodes: Sequence[Node], values: Mapping[str, int]) -> RunnablePlan:
    """Inverse of :func:`encoded`. Raises ValueError, IndexError, TypeError or KeyError for what it
    did not write."""
    read: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    plan: Plan = from_json(Plan, read["plan"], "plan")
    places = [None if number is None else str(nodes[number].location) for number in read["places"]]
    steps = zip(plan.steps, places, strict=True)
    plan = replace(plan, steps=tuple(_placed(step, place or "") for step, place in steps))
    check_plan(plan)
    at = Substitution(values)
    return RunnablePlan(plan, {node: at.op(nodes[number].op) for node, number in read["hosts"]})


def _placed(step: Step, place: str) -> Step:
    return replace(step, location=place) if isinstance(step, PlanLaunch | HostStep) else step

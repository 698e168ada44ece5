"""A compiled graph: its groups, the launches that they became, and the plan that runs."""

from __future__ import annotations

from dataclasses import dataclass

from ir.graph import Graph
from ir.op import Op

from .kernel import Kernel, Launch
from .plan.plan import HostStep, Plan


@dataclass(frozen=True, slots=True)
class CompiledGraph:
    """``graph`` is fused; ``launches`` are of its values, those of the plan of buffers."""

    graph: Graph
    launches: tuple[Launch, ...]
    plan: Plan

    @property
    def hosts(self) -> dict[int, Op]:
        """What the plan's host steps call, by node."""
        steps = [step for step in self.plan.steps if isinstance(step, HostStep)]
        return {step.node: self.graph.nodes[step.node].op for step in steps}

    @property
    def kernels(self) -> dict[Kernel, list[str]]:
        """Distinct kernels with the labels of their launches, in order of first use."""
        found: dict[Kernel, list[str]] = {}
        for launch in self.launches:
            found.setdefault(launch.kernel, []).append(launch.label)
        return found

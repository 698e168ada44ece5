"""A compiled graph: its groups, the launches that they became, and the plan that runs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from ir.graph import Graph
from ir.graph_sizes import Substitution
from ir.op import Op

from .kernel import Kernel, Launch
from .plan.plan import HostStep, Plan
from .plan.sizes import plan_at


@dataclass(frozen=True)
class CompiledGraph:
    """``graph`` is fused; ``launches`` are of its values, those of the plan of buffers.

    ``alone`` are the launches that there would be if none did what several do.
    ``general`` is the plan for whatever the symbols of sizes are, ``values`` what they are here.
    """

    graph: Graph
    launches: tuple[Launch, ...]
    alone: tuple[Launch, ...]
    general: Plan
    values: Mapping[str, int] = field(default_factory=dict)

    @functools.cached_property
    def plan(self) -> Plan:
        return plan_at(self.general, self.values)

    @property
    def hosts(self) -> dict[int, Op]:
        """What the plan's host steps call, by node."""
        at = Substitution(self.values)
        return {node: at.op(op) for node, op in self.general_hosts.items()}

    @property
    def general_hosts(self) -> dict[int, Op]:
        """Likewise, of the plan for whatever the symbols are."""
        steps = [step for step in self.general.steps if isinstance(step, HostStep)]
        return {step.node: self.graph.nodes[step.node].op for step in steps}

    @property
    def kernels(self) -> dict[Kernel, list[Launch]]:
        """Distinct kernels with their launches, in order of first use."""
        found: dict[Kernel, list[Launch]] = {}
        for launch in self.launches:
            found.setdefault(launch.kernel, []).append(launch)
        return found

"""A compiled graph: launches in order, and where everything lies."""

from __future__ import annotations

from dataclasses import dataclass

from ir.graph import Graph, Node

from .kernel import Kernel, Launch
from .plan.memory import MemoryPlan


@dataclass(frozen=True, slots=True)
class Segment:
    """Launches that run one after the other without the host: captured as one CUDA graph."""

    launches: tuple[Launch, ...]


@dataclass(frozen=True, slots=True)
class HostStep:
    """A node that runs on the host, between segments. If its op is DYNAMIC, what follows is
    planned again for the sizes that come out."""

    node: Node


PlanStep = Segment | HostStep


@dataclass(frozen=True, slots=True)
class CompiledGraph:
    """What a runtime needs: the fused graph for its ports, steps, and places.

    A *kernel* is one text, with its parameters and a short fixed list of tile configurations. The
    same graph at another batch or image size launches the same kernels with other arguments, and
    may choose other configurations; and what some shapes split to fill a device takes a second
    kernel there, which adds up the parts.
    """

    graph: Graph
    steps: tuple[PlanStep, ...]
    memory: MemoryPlan

    @property
    def launches(self) -> list[Launch]:
        return [launch for s in self.steps if isinstance(s, Segment) for launch in s.launches]

    @property
    def kernels(self) -> dict[Kernel, list[str]]:
        """Distinct kernels with the labels of their launches, in order of first use."""
        found: dict[Kernel, list[str]] = {}
        for launch in self.launches:
            found.setdefault(launch.kernel, []).append(launch.label)
        return found

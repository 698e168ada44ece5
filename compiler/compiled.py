"""A compiled graph: launches in order, and where everything lies."""

from __future__ import annotations

from dataclasses import dataclass

from ir.graph import Graph, Node

from .kernel import Config, Kernel, Launch
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


Step = Segment | HostStep


@dataclass(frozen=True, slots=True)
class CompiledGraph:
    """What a runtime needs: the fused graph for its ports, steps, and places.

    A *kernel* is one text, with its parameters and a short fixed list of tile configurations. The
    same graph at another batch or image size launches the same kernels with other arguments, and
    may choose other configurations; :meth:`variants` lists all that it may choose.
    """

    graph: Graph
    steps: tuple[Step, ...]
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

    def variants(self) -> list[tuple[Kernel, Config]]:
        """Every kernel with every configuration that this graph may need at other shapes.

        Beyond :attr:`kernels` there are those that add up the parts of work that is split to fill
        a device, which only some shapes need. Who compiles these ahead compiles nothing later.
        """
        kernels = dict.fromkeys(self.kernels)
        for launch in self.launches:
            kernels.update(dict.fromkeys(launch.companions() if launch.companions else ()))
        return [(kernel, config) for kernel in kernels for config in kernel.configs]

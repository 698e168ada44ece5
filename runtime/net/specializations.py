"""What a partition keeps for each set of sizes, so that sizes may take turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from compiler.last_used import LastUsed
from compiler.partitions import SizedPartition
from ir.graph import Graph
from ir.graph_sizes import graph_symbols

from ..backends.backend import PlannedGraph
from ..memory.buffers import Buffer
from .blobs import Shape
from .context import BoundPartition, SizesByName

_KEPT = 8
_KEPT_BYTES = 1 << 30
"""What sizes that are not in use may hold, together."""


@dataclass
class Specialization:
    """A partition at one set of sizes.

    Attributes:
        sized: what it may run, at which sizes. bound: the graphs that were run, and the buffers
            they use.
        constants: what was computed once from parameters that never change, by name.
    """

    sized: SizedPartition
    bound: dict[Graph, BoundPartition] = field(default_factory=dict)
    constants: dict[str, Buffer] = field(default_factory=dict)

    def memory(self) -> dict[int, int]:
        """Bytes of each part of memory that is there for these sizes: constants and arenas."""
        found = {id(b.memory): b.memory.raw.nbytes for b in self.constants.values()}
        graphs = (bound.graph for bound in self.bound.values())
        arenas = {id(g): g.plan.memory.nbytes for g in graphs if isinstance(g, PlannedGraph)}
        return found | arenas

    def share_constants(self, graph: Graph, others: Iterable[Specialization]) -> None:
        """Take what another size has computed by a graph that no size changes."""
        if graph in self.bound or graph_symbols(graph):
            return
        for other in others:
            if other is not self and graph in other.bound:
                self.bound[graph], self.constants = other.bound[graph], other.constants
                return


class Specializations:
    """Those that were used last."""

    def __init__(self) -> None:
        self._kept: LastUsed[tuple[tuple[str, Shape], ...], Specialization] = LastUsed(_KEPT)

    def __iter__(self) -> Iterator[Specialization]:
        return iter(self._kept)

    def find(self, sizes: SizesByName) -> Specialization | None:
        return self._kept.find(_key(sizes))

    def use(self, sizes: SizesByName, newest: Specialization) -> Specialization:
        """Keep one as the newest, and as many others as there is room for."""
        self._kept.use(_key(sizes), newest)
        while len(self._kept) > 1 and self._idle() > _KEPT_BYTES:
            self._kept.drop_oldest()
        return newest

    def _idle(self) -> int:
        """Bytes that are there for other sizes than the newest."""
        *others, newest = self._kept
        own = newest.memory()
        idle = {k: nbytes for each in others for k, nbytes in each.memory().items()}
        return sum(nbytes for key, nbytes in idle.items() if key not in own)


def _key(sizes: SizesByName) -> tuple[tuple[str, Shape], ...]:
    return tuple(sorted((name, tuple(shape)) for name, shape in sizes.items()))

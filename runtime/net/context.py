"""What the partitions of a net have in common: memory, the executor, how to take other sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from compiler.options import CompileOptions
from compiler.passes.autodiff import diff_port
from ir.graph import Graph, Port, Role
from ir.program_part import ProgramPart

from ..backends.backend import Backend, BoundGraph, CallingGraph, PassingGraph, PlannedGraph
from ..memory.buffers import Buffer
from ..memory.store import Store
from .blobs import BlobBuffers, Changes, Shape

SizesByName = Mapping[str, Shape]

After = Mapping[int | None, Callable[[], None]]
"""What to call when steps of a graph's plan have run, by their numbers, and, under None, when all
of it has."""


class LowerPart(Protocol):
    """Lowers layers again; `frontends.lowering.part.LayerLowering.part` is one."""

    def __call__(
        self,
        first: int,
        last: int,
        sizes: SizesByName,
        *,
        inputs: SizesByName,
        alone: bool = False,
        runs_next: bool = True,
    ) -> ProgramPart: ...


BufferOf = Callable[[Port], Buffer]
"""Gives the buffer of a port, in the port's type."""


@dataclass
class BoundPartition:
    """A graph of a partition bound to buffers, and which ones.

    Attributes:
        ran: whether it ever did.
    """

    graph: BoundGraph
    uses: list[tuple[Port, Buffer]]
    ran: bool = False
    _complete: dict[str, int] | None = None

    @property
    def complete_after(self) -> Mapping[str, int] | None:
        """By variable whose diff it writes, the last step of its plan that does; None on an
        executor without plans."""
        if self._complete is None and isinstance(self.graph, PlannedGraph):
            found = self.graph.plan.complete_after
            self._complete = {name: step for name, step in found.items() if step >= 0}
        return self._complete

    def stale(self, held: Callable[[Port], Buffer | None]) -> bool:
        """Whether a tensor is elsewhere since; ``held``: where it is now (None: it stays)."""
        return any(
            now is not None and (now.memory is not then.memory or now.start != then.start)
            for now, then in ((held(port), buffer) for port, buffer in self.uses)
        )

    def run(self, after: After | None = None) -> None:
        """Run, and call what ``after`` says on the way."""
        calls = dict(after or ())
        last = calls.pop(None, None)
        if calls:
            assert isinstance(self.graph, CallingGraph), "who numbers steps has a plan"
            self.graph.run_calling({n: call for n, call in calls.items() if n is not None})
        else:
            self.graph.run()
        self.ran = True
        if last is not None:
            last()

    def run_last(self, done: Callable[[Port], None]) -> None:
        """Run, for the last time; ``done``: told of each input when it is read no more."""
        if isinstance(self.graph, PassingGraph):
            ports = {port.key: port for port, _ in self.uses}
            self.graph.run_last(lambda key: done(ports[key]))
            self.graph = _NOTHING
        else:
            self.graph.run()
        self.ran = True


class _Nothing:
    """What is left of a graph that does not run again."""

    def run(self) -> None:
        raise RuntimeError("it has run for the last time")


_NOTHING = _Nothing()


@dataclass
class NetContext:
    """What every partition of a net uses.

    Attributes:
        lower_again: lowers a partition for other sizes; None: they are fixed.
        blobs: those that have memory, by their names there.
        inputs: of the net -> their names in memory.
        changes: so that what is bound need not be looked at in every pass.
        hyper: numbers that graphs read, by the names of their ports.
    """

    backend: Backend
    options: CompileOptions
    lower_again: LowerPart | None
    store: Store
    blobs: dict[str, BlobBuffers]
    inputs: Mapping[str, str]
    changes: Changes
    hyper: dict[str, Buffer] = field(default_factory=dict)

    def bind(self, graph: Graph, buffer_of: BufferOf, values: Mapping[str, int]) -> BoundPartition:
        ports = (*graph.inputs, *graph.outputs)
        buffers = [buffer_of(port) for port in ports]
        keyed = [(p.key, b) for p, b in zip(ports, buffers, strict=True)]
        reads = len(graph.inputs)
        inputs, outputs = dict(keyed[:reads]), dict(keyed[reads:])
        bound = self.backend.bind(graph, inputs, outputs, self.options, values)
        return BoundPartition(bound, list(zip(ports, buffers, strict=True)))

    def buffer(self, port: Port) -> Buffer:
        """Where a port's tensor is now, if it is no partition's own."""
        if port.role in (Role.PARAMETER, Role.STATE):
            return self.store.data[port.name]
        if port.role is Role.GRADIENT:
            return self.store.diff[port.name]
        if port.role is Role.HYPER:
            return self.hyper[port.name]
        if port.name.startswith(diff_port("")):
            return self.blobs[port.name.removeprefix(diff_port(""))].diff
        return self.blobs[port.name].data

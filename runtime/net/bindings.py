"""The graphs of a partition bound to memory: the net's, and its own."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.passes.freeze import FROZEN
from ir.found_rows import tells_rows
from ir.graph import Graph, Port, Role

from ..memory.buffers import Buffer
from .blobs import Shape
from .context import BoundPartition, NetContext
from .specializations import Specialization


class Bindings:
    """Binds the graphs of one partition. What forward saves for backward is in the same memory at
    all sizes, as far as that suffices."""

    def __init__(self, context: NetContext) -> None:
        self._context = context
        self._saved: dict[str, Buffer] = {}
        self._found: dict[str, Buffer] = {}  # how many rows of a top count
        self._moved = -1  # as much new memory was seen

    def bound(
        self, graph: Graph, now: Specialization, others: Iterable[Specialization]
    ) -> BoundPartition:
        """A graph of ``now`` bound to the memory of now.

        Where memory was replaced, what is bound to the old is dropped, at all sizes: else the
        old would stay.
        """
        if self._moved != self._context.changes.memory:
            self._moved = self._context.changes.memory
            for each in (now, *others):
                for stale in [g for g, bound in each.bound.items() if bound.stale(self._held)]:
                    del each.bound[stale]
        if graph not in now.bound:
            now.bound[graph] = self._context.bind(
                graph, lambda port: self._buffer(port, now), now.sized.values
            )
        return now.bound[graph]

    def shape(self, port: Port, now: Specialization) -> Shape:
        """Of the tensor that a port has now; what is the partition's own is as it was saved."""
        own = port.role is Role.SAVED or _is_constant(port, self._context)
        own = own or tells_rows(port.name) or port.name in now.sized.graphs.trimmed
        return (now.sized.type(port) if own else self._context.buffer(port).type).shape

    def found(self, port: Port) -> int:
        """How many rows of a top count, after a run."""
        return int(self._found[port.name].peek()[0])

    def _rows(self, port: Port, now: Specialization) -> Buffer:
        """All of a top's memory, of which only so many rows count."""
        blob, type = self._context.blobs[port.name], now.sized.type(port)
        blob.reserve(type)
        return blob.data.view(type)

    def _held(self, port: Port) -> Buffer | None:
        """Where a tensor is now; None for one that stays where it is."""
        if _is_constant(port, self._context):
            return None
        if port.role is Role.SAVED:
            return self._saved.get(port.name)
        if tells_rows(port.name):
            return self._found.get(port.name)
        return self._context.buffer(port)

    def _buffer(self, port: Port, now: Specialization) -> Buffer:
        if tells_rows(port.name):
            return self._found.setdefault(port.name, Buffer(port.value.type))
        if port.name in now.sized.graphs.trimmed:
            return self._rows(port, now)
        constant = _is_constant(port, self._context)
        if port.role is not Role.SAVED and not constant:
            return self._context.buffer(port)
        own = now.constants if constant else self._saved
        name, type = port.name, now.sized.type(port)
        if name in own and not own[name].has_room(type):
            del own[name]
            self._context.changes.memory += 1
        own[name] = own[name].view(type) if name in own else Buffer(type)
        return own[name]


def _is_constant(port: Port, context: NetContext) -> bool:
    """Whether it is computed once from parameters: saved by one graph, a parameter of the next."""
    if port.role is Role.SAVED:
        return port.name.startswith(FROZEN)
    return port.role is Role.PARAMETER and port.name not in context.store.data

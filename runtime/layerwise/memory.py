"""What the layers of a net have in common: blobs, variables, and the executor that they run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.options import CompileOptions
from compiler.passes.autodiff import diff_port
from ir.graph import Graph, Port, Role

from ..backends.backend import Backend, BoundGraph
from ..memory.buffers import Buffer
from ..memory.store import Store
from .blobs import BlobBuffers, Changes


@dataclass
class BoundLayer:
    """A graph bound to buffers, and which ones."""

    graph: BoundGraph
    uses: list[tuple[Port, Buffer]]


@dataclass
class NetMemory:
    """``changes`` counts new buffers, so that what is bound need not be looked at in every pass."""

    backend: Backend
    options: CompileOptions
    store: Store
    blobs: dict[str, BlobBuffers]
    changes: Changes

    def bind(self, graph: Graph, saved: Mapping[str, Buffer]) -> BoundLayer:
        """Bind a graph of a layer; ``saved``: what its forward keeps for its backward."""
        uses: list[tuple[Port, Buffer]] = []

        def buffer(port: Port) -> Buffer:
            if port.role is Role.SAVED:
                return saved[port.name]
            found = self.buffer(port)
            uses.append((port, found))
            return found

        inputs = {p.key: buffer(p) for p in graph.inputs}
        outputs = {p.key: buffer(p) for p in graph.outputs}
        return BoundLayer(self.backend.bind(graph, inputs, outputs, self.options), uses)

    def buffer(self, port: Port) -> Buffer:
        """Where a port's tensor is now."""
        if port.role in (Role.PARAMETER, Role.STATE):
            return self.store.data[port.name]
        if port.role is Role.GRADIENT:
            return self.store.diff[port.name]
        if port.name.startswith(diff_port("")):
            return self.blobs[port.name.removeprefix(diff_port(""))].diff
        return self.blobs[port.name].data

    def stale(self, bound: BoundLayer) -> bool:
        """Whether a buffer was replaced by another since."""
        return any(self.buffer(port) is not buffer for port, buffer in bound.uses)

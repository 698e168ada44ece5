"""An artifact on any CPU: numpy runs its graph."""

from __future__ import annotations

from ir.graph import Graph
from ir.graph_sizes import graph_at
from ir.interpret import peak_bytes
from ir.verify import verify
from runtime.backends.reference import NumpyGraph

from .bound import ArtifactMemory, BoundArtifact, SymbolValues
from .errors import ArtifactError
from .reader import Artifact


class CpuRunner:
    """By numpy, as the ``cpu`` executor does."""

    def __init__(self, artifact: Artifact, graph: Graph) -> None:
        self._graph = graph
        self.memory = ArtifactMemory(artifact)

    def bind(self, sizes: SymbolValues) -> BoundArtifact:
        try:
            graph = graph_at(self._graph, sizes)
            verify(graph)
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            path = self.memory.path
            problem = f"its graph is not sound at {dict(sizes)}: {error}"
            raise ArtifactError(path, problem) from error
        inputs, outputs = (
            {port.key: port.value.type for port in ports} for ports in (graph.inputs, graph.outputs)
        )
        self.memory.require(peak_bytes(graph))
        buffers = self.memory.buffers(inputs, outputs, sizes)
        return NumpyGraph(graph, *buffers), *buffers

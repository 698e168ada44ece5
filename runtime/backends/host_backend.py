"""What executors of kernels in host memory have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from ir.graph import Graph, PortKey

from ..memory.buffers import Buffer
from .backend import Values
from .host_graph import HostGraph
from .host_launcher import HostLauncher
from .per_graph import PerGraph


class HostBackend(ABC):
    """An executor of kernels in host memory."""

    def __init__(self) -> None:
        self._compilers = PerGraph(self.compiler)

    @abstractmethod
    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler: ...

    @abstractmethod
    def launcher(self, compiled: CompiledGraph) -> HostLauncher: ...

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> HostGraph:
        compiled = self._compilers(graph, options).at(values)
        launcher = self.launcher(compiled)
        return HostGraph(compiled.plan, compiled.hosts, launcher, inputs, outputs)

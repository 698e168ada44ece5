"""The executor ``cpu`` where there is no C compiler: the optimised graph, run by numpy."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.options import CompileOptions
from compiler.pipeline import run_keeping_ports
from ir.graph import Graph, PortKey

from ..machine.processor import numpy_target
from ..memory.buffers import Buffer
from .backend import Values
from .per_graph import PerGraph
from .reference import NumpyGraph


class OptimisedBackend:
    """Needs nothing but numpy."""

    name = "cpu"

    def __init__(self) -> None:
        self.target = numpy_target()
        self._optimised = PerGraph(run_keeping_ports)

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> NumpyGraph:
        return NumpyGraph(self._optimised(graph, options), inputs, outputs, values)

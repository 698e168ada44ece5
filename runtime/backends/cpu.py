"""The ``cpu`` executor: the optimised graph, run by numpy."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.options import CompileOptions
from compiler.pipeline import run_keeping_ports
from ir.graph import Graph, PortKey

from ..machine.processor import cpu_target
from ..memory.buffers import Buffer
from .backend import Values
from .per_graph import PerGraph
from .reference import NumpyGraph


class CpuBackend:
    """Needs nothing but numpy."""

    name = "cpu"

    def __init__(self) -> None:
        self.target = cpu_target()
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

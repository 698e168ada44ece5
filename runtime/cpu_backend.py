"""The ``cpu`` executor: the optimised graph, run by numpy."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from compiler.options import CompileOptions
from compiler.pipeline import run_passes
from ir.graph import Graph

from .buffers import Buffer
from .machine_processor import cpu_target
from .reference import NumpyGraph


class CpuBackend:
    """Needs nothing but numpy."""

    name = "cpu"

    def __init__(self) -> None:
        self.target = cpu_target()
        # Graphs of layers are bound again whenever a blob takes another shape. None: the graph
        # itself, which must not keep itself alive.
        self._optimised: WeakKeyDictionary[Graph, dict[CompileOptions, Graph | None]]
        self._optimised = WeakKeyDictionary()

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[str, Buffer],
        outputs: Mapping[str, Buffer],
        options: CompileOptions,
    ) -> NumpyGraph:
        """Run the passes; what they made of a graph is kept as long as the graph is."""
        known = self._optimised.setdefault(graph, {})
        if options not in known:
            found = run_passes(graph, options)
            known[options] = None if found is graph else found
        return NumpyGraph(known[options] or graph, inputs, outputs)

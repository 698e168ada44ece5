"""The ``reference`` executor: numpy, node by node. It is what every op means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.options import CompileOptions
from ir.graph import Graph, PortKey
from ir.graph_sizes import at_hand, graph_at
from ir.interpret import GraphRun

from ..machine.blas_threads import ONE_BLAS_THREAD
from ..machine.processor import numpy_target
from ..memory.buffers import Buffer
from .backend import Values


class NumpyGraph:
    """A graph run by numpy on the arrays of its buffers."""

    def __init__(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        values: Values = None,
    ) -> None:
        self._graph = GraphRun(graph_at(graph, at_hand(graph) if values is None else values))
        self._inputs = [inputs[p.key] for p in graph.inputs]
        self._outputs = [outputs[p.key] for p in graph.outputs]

    def run(self) -> None:
        with ONE_BLAS_THREAD:
            results = self._graph([buffer.array for buffer in self._inputs])
            self._take(results)

    def _take(self, results: list[np.ndarray]) -> None:
        # An output may be a view of an input that another output overwrites.
        targets = [buffer.array for buffer in self._outputs]
        for i, result in enumerate(results):
            if any(np.may_share_memory(result, t) for t in targets[:i]):
                results[i] = result.copy()
        for result, target in zip(results, targets, strict=True):
            if result is not target:
                np.copyto(target, result)


class ReferenceBackend:
    """Runs graphs as they are, without any pass: a wrong pass is found by comparing with it."""

    name = "reference"

    def __init__(self) -> None:
        self.target = numpy_target()

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> NumpyGraph:
        return NumpyGraph(graph, inputs, outputs, values)

"""The ``reference`` executor: numpy, node by node. It is what every op means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.options import CompileOptions
from ir.graph import Graph, Value
from ir.interpret import last_uses, run_node

from .backend import port_key
from .blas_threads import ONE_BLAS_THREAD
from .buffers import Buffer
from .machine_processor import cpu_target


class ReferenceGraph:
    """A graph run by numpy on the arrays of its buffers."""

    def __init__(
        self, graph: Graph, inputs: Mapping[str, Buffer], outputs: Mapping[str, Buffer]
    ) -> None:
        self._graph = graph
        self._inputs = [(p.value, inputs[port_key(p.role, p.name)]) for p in graph.inputs]
        self._outputs = [(p.value, outputs[port_key(p.role, p.name)]) for p in graph.outputs]
        self._dead = last_uses(graph)

    def run(self) -> None:
        with ONE_BLAS_THREAD:
            self._run()

    def _run(self) -> None:
        env: dict[Value, np.ndarray] = {v: b.array for v, b in self._inputs}
        for node, dead in zip(self._graph.nodes, self._dead, strict=True):
            env.update(
                zip(node.outputs, run_node(node, [env[v] for v in node.inputs]), strict=True)
            )
            for value in dead:
                env.pop(value, None)
        # An output may be a view of an input that another output overwrites.
        targets = [b.array for _, b in self._outputs]
        results = [env[v] for v, _ in self._outputs]
        for i, result in enumerate(results):
            if any(np.may_share_memory(result, t) for t in targets[:i]):
                results[i] = result.copy()
        for result, target in zip(results, targets, strict=True):
            if result is not target:
                np.copyto(target, result)


class ReferenceBackend:
    """Needs nothing but numpy."""

    name = "reference"

    def __init__(self) -> None:
        self.target = cpu_target()

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[str, Buffer],
        outputs: Mapping[str, Buffer],
        options: CompileOptions,
    ) -> ReferenceGraph:
        return ReferenceGraph(graph, inputs, outputs)

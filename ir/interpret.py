"""The reference interpreter: runs a graph with numpy, node by node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .graph import Graph, Node, Value
from .narrow import narrowed, widened
from .op import Property


def run_node(node: Node, inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Results of one node; its declared shapes are checked against what came out.

    Arrays are as memory holds their types; ops compute with numbers of 16 bits as float32. Numbers
    that become infinite or none are no news, as in kernels; numpy says so of what runs on the host,
    which may be a user's code.
    """
    numbers = [widened(a, v.type.dtype) for a, v in zip(inputs, node.inputs, strict=True)]
    with np.errstate(all=None if node.op.properties & Property.HOST else "ignore"):
        results = node.op.reference(numbers, [v.type for v in node.outputs])
    for value, array in zip(node.outputs, results, strict=True):
        if array.shape != value.shape:
            raise RuntimeError(f"{node.op.name} made {array.shape} for %{value.name}: {value.type}")
    return [narrowed(a, v.type.dtype) for a, v in zip(results, node.outputs, strict=True)]


def last_uses(graph: Graph) -> list[list[Value]]:
    """For every node, the values that nothing reads after it."""
    kept = {p.value for p in graph.outputs}
    last: dict[Value, int] = {}
    for i, node in enumerate(graph.nodes):
        for value in (*node.outputs, *node.inputs):
            if value not in kept:
                last[value] = i
    dead: list[list[Value]] = [[] for _ in graph.nodes]
    for value, i in last.items():
        dead[i].append(value)
    return dead


def peak_bytes(graph: Graph) -> int:
    """Bytes of all values that :func:`run_graph` holds at once, at most."""
    live = peak = sum(port.value.type.nbytes for port in graph.inputs)
    for node, dead in zip(graph.nodes, last_uses(graph), strict=True):
        live += sum(value.type.nbytes for value in node.outputs)
        peak = max(peak, live)
        live -= sum(value.type.nbytes for value in dead)
    return peak


class GraphRun:
    """Runs a graph, any number of times."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._dead = last_uses(graph)

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Outputs of the graph for arrays given in the order of its inputs.

        Float64 inputs make the whole run double precision. Arrays may alias inputs (views).
        """
        graph = self._graph
        env: dict[Value, np.ndarray] = {
            p.value: a for p, a in zip(graph.inputs, inputs, strict=True)
        }
        for node, dead in zip(graph.nodes, self._dead, strict=True):
            results = run_node(node, [env[v] for v in node.inputs])
            env.update(zip(node.outputs, results, strict=True))
            for value in dead:
                env.pop(value, None)
        return [env[p.value] for p in graph.outputs]


def run_graph(graph: Graph, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run a graph once; see :meth:`GraphRun.__call__`."""
    return GraphRun(graph)(inputs)

"""Where a graph goes on with rows of which only a run tells how many there are."""

from __future__ import annotations

from .graph import Graph
from .op import Op
from .ops.dynamic import Trim


def told_under(op: Op) -> str:
    """The name under which a run tells how many rows an op leaves; empty for all other ops."""
    return op.key if isinstance(op, Trim) else ""


def inner_trims(graph: Graph) -> dict[str, int]:
    """Names under which numbers of rows are told with which the graph goes on, and their most."""
    read = {value for node in graph.nodes for value in node.inputs}
    return {
        node.op.key: node.inputs[0].shape[node.op.axis]
        for node in graph.nodes
        if isinstance(node.op, Trim) and node.output in read
    }

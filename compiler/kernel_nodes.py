"""Which nodes of a graph after its passes become kernels."""

from __future__ import annotations

from collections.abc import Iterator

from ir.graph import Graph, Node
from ir.op import Property
from ir.ops.loop import StepLoop

from .plan.from_graph import runs_on_host


def has_kernel(node: Node) -> bool:
    """Whether launches compute it: it is no view, no loop, and nothing for the host."""
    other = runs_on_host(node) or node.op.properties & (Property.VIEW | Property.WHOLE)
    return not other and not isinstance(node.op, StepLoop)


def kernel_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes that launches compute, in order, with those of the bodies of loops."""
    for node, _ in repeated_nodes(graph):
        yield node


def repeated_nodes(graph: Graph, times: int = 1) -> Iterator[tuple[Node, int]]:
    """Likewise, with how often each runs."""
    for node in graph.nodes:
        if isinstance(node.op, StepLoop):
            yield from repeated_nodes(node.op.body, times * node.op.steps)
        elif has_kernel(node):
            yield node, times

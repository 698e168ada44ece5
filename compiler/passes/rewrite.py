"""Tools of graph rewriting that several passes share."""

from __future__ import annotations

from ir.build import Builder
from ir.graph import Graph


def resume(graph: Graph) -> Builder:
    """A builder that goes on where ``graph`` ends: its ports, nodes and names are taken over."""
    b = Builder(graph.name)
    for value in graph.values():
        b.unique(value.name)
    b.inputs = list(graph.inputs)
    b.nodes = list(graph.nodes)
    b.outputs = list(graph.outputs)
    return b

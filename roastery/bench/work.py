"""How many multiply-adds a net that runs has, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

from ir.graph import Graph
from ir.graph_sizes import graph_at
from runtime.net import PartitionedNet

from ..counting.nodes import multiply_adds


def work_of_parts(net: PartitionedNet) -> list[tuple[int, int]]:
    """Of forward and of backward, for each partition at the sizes of now."""
    found = []
    for part in net.parts:
        ahead, behind = part.graphs.pair(part.partition.apart)
        found.append((_in_graph(ahead, part.values), _in_graph(behind, part.values)))
    return found


def _in_graph(graph: Graph, values: Mapping[str, int]) -> int:
    return multiply_adds(graph_at(graph, values).nodes)

"""How many multiply-adds a net that runs has, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

from ir.graph import Graph
from ir.graph_sizes import graph_at
from runtime.net import PartitionedNet


def work_of_parts(net: PartitionedNet) -> list[tuple[int, int]]:
    """Of forward and of backward, for each partition at the sizes of now."""
    found = []
    for part in net.parts:
        ahead, behind = part.graphs.pair(part.partition.apart)
        found.append((_multiply_adds(ahead, part.values), _multiply_adds(behind, part.values)))
    return found


def _multiply_adds(graph: Graph, values: Mapping[str, int]) -> int:
    return sum(node.multiply_adds for node in graph_at(graph, values).nodes)

"""The graph that the page draws: layers in place together with the one that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..counting import LayerCount


@dataclass
class GraphNode:
    """Layers, by number: one, and those behind it that work in place on its top."""

    layers: list[int]


@dataclass
class LayerGraph:
    """Nodes in the order of the file, and edges between them.

    Attributes:
        edges: from a node to a node, by number, with the blob that goes along.
    """

    nodes: list[GraphNode] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)


def layer_graph(layers: Sequence[LayerCount]) -> LayerGraph:
    graph = LayerGraph()
    maker: dict[str, int] = {}
    for number, layer in enumerate(layers):
        follows = _follows(layer, maker)
        if follows is not None:
            graph.nodes[follows].layers.append(number)
            continue
        node = len(graph.nodes)
        graph.nodes.append(GraphNode([number]))
        for name in dict.fromkeys(layer.bottom_names):
            if name in maker:
                graph.edges.append((maker[name], node, name))
        for name in layer.top_names:
            maker[name] = node
    return graph


def _follows(layer: LayerCount, maker: dict[str, int]) -> int | None:
    """The node whose top alone a layer writes over."""
    one = len(layer.bottom_names) == len(layer.top_names) == 1
    if one and layer.bottom_names == layer.top_names:
        return maker.get(layer.bottom_names[0])
    return None

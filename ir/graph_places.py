"""Graphs whose nodes say in other words where they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .graph import Graph, Node
from .location import Location


def graph_with_places(graph: Graph, told: Callable[[Location], Location]) -> Graph:
    """The graph with other locations, in graphs inside its nodes as well."""

    def node(node: Node) -> Node:
        inner: dict[str, Any] = {}
        for field in dataclasses.fields(node.op):  # type: ignore[arg-type]
            part = getattr(node.op, field.name)
            if isinstance(part, Graph):
                inner[field.name] = graph_with_places(part, told)
        op = dataclasses.replace(node.op, **inner) if inner else node.op  # type: ignore[type-var]
        return dataclasses.replace(node, op=op, location=told(node.location))

    return dataclasses.replace(graph, nodes=tuple(map(node, graph.nodes)))

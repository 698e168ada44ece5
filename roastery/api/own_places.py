"""Where layers stand, without the folders of who exports: the same net gives the same artifact."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from ir.graph import Graph, Node
from ir.location import Location


def without_folder(place: Location) -> Location:
    """The file's name alone, as whoever gets the artifact has other folders."""
    return dataclasses.replace(place, file=os.path.basename(place.file))


def graph_without_folders(graph: Graph) -> Graph:
    """The graph with such locations, in graphs inside its nodes as well."""
    return dataclasses.replace(graph, nodes=tuple(map(_node, graph.nodes)))


def _node(node: Node) -> Node:
    inner: dict[str, Any] = {}
    for field in dataclasses.fields(node.op):  # type: ignore[arg-type]
        part = getattr(node.op, field.name)
        if isinstance(part, Graph):
            inner[field.name] = graph_without_folders(part)
    op = dataclasses.replace(node.op, **inner) if inner else node.op  # type: ignore[type-var]
    return dataclasses.replace(node, op=op, location=without_folder(node.location))

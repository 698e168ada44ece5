"""Tops of which only so many rows count, as a run tells.

A layer that finds rows (DetectionOutput, Proposal) computes as many as there could be, and their
number; its last node is a :class:`ir.ops.dynamic.Trim`, which says so by ``counted_axis``. A
partition that ends there needs no size that depends on data:

    %rows, %found = ...                              %rows, %found = ...
    %top = trim(%rows, %found) {count, axis}   ->    output %rows as top
    output %top                                      output %found as found:0:top

Who runs it reads the number back and shows so many rows of the top. Nothing is planned or run
again when another number comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ir.found_rows import found_name
from ir.graph import Graph, Node, Port, Role, Value


@dataclass(frozen=True)
class Trimmed:
    """A top that is computed in more rows than count.

    Attributes:
        rows: all there could be. found: i32[1], how many there are. axis: along which.
    """

    rows: Value
    found: Value
    axis: int

    def shape(self, extents: Sequence[int], count: int) -> tuple[int, ...]:
        """Of the top, for the shape of ``rows``."""
        return (*extents[: self.axis], count, *extents[self.axis + 1 :])


def found_port(place: str, trimmed: Trimmed) -> Port:
    """What tells how many rows of a top count."""
    return Port(found_name(place, trimmed.axis), trimmed.found, Role.RESULT)


def without_trims(
    nodes: Sequence[Node], places: Mapping[Value, str], written: Mapping[str, Value]
) -> tuple[tuple[Node, ...], dict[str, Trimmed]]:
    """Nodes without those whose result is only shown, and what is shown instead.

    Args:
        places: names of blobs in memory.
        written: of those, what they hold in the end.
    """
    read = {value for node in nodes for value in node.inputs}
    found: dict[str, Trimmed] = {}
    kept: list[Node] = []
    for node in nodes:
        axis = node.op.counted_axis
        if axis is None or not _only_shown(node.output, read, places, written):
            kept.append(node)
            continue
        rows, count = node.inputs
        found[places[node.output]] = Trimmed(rows, count, axis)
    return tuple(kept), found


def _only_shown(
    value: Value, read: Set[Value], places: Mapping[Value, str], written: Mapping[str, Value]
) -> bool:
    return value not in read and value in places and written.get(places[value]) is value


def trimmed_graph(graph: Graph) -> Graph:
    """A graph whose outputs hold all rows, and tell how many count, where it would trim them."""
    shown = {p.name: p.value for p in graph.outputs if p.role is Role.RESULT}
    nodes, trims = without_trims(graph.nodes, {v: name for name, v in shown.items()}, shown)
    outputs = [
        replace(p, value=trims[p.name].rows) if p.role is Role.RESULT and p.name in trims else p
        for p in graph.outputs
    ]
    told = [found_port(name, each) for name, each in trims.items()]
    return replace(graph, nodes=nodes, outputs=(*outputs, *told))

"""Where the operands and results of kernels lie that are parts of larger tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.fusion import Fused, InWhole

from .bodies import with_bodies


def with_places(graph: Graph) -> Graph:
    """Tell groups of their operands and results that lie in others: of a final graph, as all that
    the plan knows of it is where wholes lie.

    Before::

        %a: f32[N,16,H,W] = fused(...)
        %b: f32[N,8,H,W] = fused(...)
        %y: f32[N,24,H,W] = concat(%a, %b) axis=1 whole=true

    After::

        %a: f32[N,16,H,W] = fused(...) inside=(1,1,0,24)
        %b: f32[N,8,H,W] = fused(...) inside=(1,1,16,24)
        %y: f32[N,24,H,W] = concat(%a, %b) axis=1 whole=true
    """
    graph = with_bodies(graph, lambda _, body: with_places(body))
    places = _places(graph)
    if not places:
        return graph
    return replace(graph, nodes=tuple(_told(node, places) for node in graph.nodes))


def _places(graph: Graph) -> dict[Value, tuple[InWhole, ...]]:
    found: dict[Value, tuple[InWhole, ...]] = {}
    for node in reversed(graph.nodes):  # a whole may lie in another one
        axis = node.op.parts_axis
        if axis is None or not node.op.properties & Property.WHOLE:
            continue
        start, extent = 0, node.output.shape[axis]
        for value in node.inputs:
            found[value] = (InWhole(axis, start, extent), *found.get(node.output, ()))
            start += value.shape[axis]
    return found


def _told(node: Node, places: Mapping[Value, tuple[InWhole, ...]]) -> Node:
    if not isinstance(node.op, Fused):
        return node
    inside = tuple(_numbers(node, places))
    return node if inside == node.op.inside else replace(node, op=replace(node.op, inside=inside))


def _numbers(node: Node, places: Mapping[Value, tuple[InWhole, ...]]) -> Iterator[int]:
    for number, value in enumerate((*node.inputs, *node.outputs)):
        for place in places.get(value, ()):
            yield from (number, *place)

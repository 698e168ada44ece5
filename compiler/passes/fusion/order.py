"""The order of groups: a buffer that is in use for less time is room for others."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Graph, Node, Role, Value
from ir.ops.fusion import Fused
from ir.size import degree

_WRITTEN = (Role.PARAMETER, Role.STATE)


def short_lived(graph: Graph, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Move groups to where their operands or results need memory for less time, as far as nothing
    else needs it for longer.

    Before::

        %w1.copy, %w2.copy: copies of weights for backward
        %d_w2 = ...
        %d_x1 = ... (%w2.copy)
        %d_w1 = ... (%d_x1)
        %d_x0 = ... (%d_x1, %w1.copy)
        gradients += %d_w1, %d_w2

    After::

        %d_w2 = ...
        gradient += %d_w2
        %w2.copy
        %d_x1 = ... (%w2.copy)
        %d_w1 = ... (%d_x1)
        gradient += %d_w1
        %w1.copy
        %d_x0 = ... (%d_x1, %w1.copy)
    """
    return _results_early(graph, _operands_late(graph, nodes))


def _operands_late(graph: Graph, nodes: Sequence[Node]) -> list[Node]:
    """What reads nothing but parameters, what is read later again, and little of what it makes,
    waits for who reads it."""
    shown = {port.value for port in graph.outputs}
    written = {port.name for port in graph.outputs if port.role in _WRITTEN}
    lasting = {
        port.value
        for port in graph.inputs
        if port.role is Role.PARAMETER and port.name not in written
    }
    first: dict[Value, int] = {}  # places of readers
    last: dict[Value, int] = {}
    places = [0] * len(nodes)
    for number in reversed(range(len(nodes))):
        node = nodes[number]
        place = min((first.get(v, number) for v in node.outputs), default=number)
        kept = [v for v in node.inputs if v not in lasting and last.get(v, -1) < place]
        free = (
            isinstance(node.op, Fused)
            and shown.isdisjoint(node.outputs)
            and all(_is_little(v, node.outputs) for v in kept)
        )
        places[number] = place = place if free else number
        for value in node.inputs:
            first[value] = min(first.get(value, place), place)
            last[value] = max(last.get(value, place), place)
    order = sorted(range(len(nodes)), key=lambda n: (places[n], places[n] == n, n))
    return [nodes[number] for number in order]


def _is_little(value: Value, results: Sequence[Value]) -> bool:
    """Whether a value is smaller than one of the results: for batches and images that are large,
    if they depend on them."""
    own = value.type.size
    return any((degree(own), own) < (degree(v.type.size), v.type.size) for v in results)


def _results_early(graph: Graph, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """What is added to diffs, which have memory, is added when it is there."""
    diffs = {port.value for port in graph.outputs if port.role is Role.GRADIENT}
    places: dict[Value, int] = {}
    keys = []
    for number, node in enumerate(nodes):
        made = max((places.get(v, -1) for v in node.inputs), default=-1)
        early = isinstance(node.op, Fused) and diffs.issuperset(node.outputs)
        keys.append((made, 1, number) if early else (number, 0, number))
        places.update((v, keys[-1][0]) for v in node.outputs)
    return tuple(nodes[number] for _, _, number in sorted(keys))

"""Maps of all parts of a whole become one map of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ir.expr import walk
from ir.graph import Direction, Graph, Node, Value
from ir.op import Cut, Property
from ir.ops.movement import Slice
from ir.ops.pointwise import Map
from ir.text import format_op
from ir.types import TensorType

from .context import UNBOUNDED, PassContext
from .fusion.slices import cuts_whole_vectors
from .rewrite import Context

_ANYWHERE = ("arg", "const", "dyn")
"""Leaves of expressions that say the same of an element wherever it is."""


def join_part_maps(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Compute of a whole what is computed of each of its parts in the same way.

    What comes back through a Concat is cut into parts, each of which goes through the activation
    of its own layer.

    Before::

        %y: f32[N,24,H,W] = concat(%a, %b) axis=1 whole=true
        %d_a.1: f32[N,16,H,W] = slice(%d_y) axis=1 start=0 stop=16
        %d_a: f32[N,16,H,W] = map(%a, %d_a.1) {where(gt(a0, 0.0), a1, 0.0)}
        %d_b.1: f32[N,8,H,W] = slice(%d_y) axis=1 start=16 stop=24
        %d_b: f32[N,8,H,W] = map(%b, %d_b.1) {where(gt(a0, 0.0), a1, 0.0)}

    After::

        %y: f32[N,24,H,W] = concat(%a, %b) axis=1 whole=true
        %d_a.parts: f32[N,24,H,W] = map(%y, %d_y) {where(gt(a0, 0.0), a1, 0.0)}
        %d_a: f32[N,16,H,W] = slice(%d_a.parts) axis=1 start=0 stop=16
        %d_b: f32[N,8,H,W] = slice(%d_a.parts) axis=1 start=16 stop=24
    """
    finding, names = _Finding(graph), Context(graph)
    changed: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        axis = node.op.parts_axis
        if axis is not None and node.op.properties & Property.WHOLE:
            for way, maps in finding.alike(node, axis):
                if context.fuel.take("parts: joined what is computed of {}", node):
                    changed.update(_joined(node, way, maps, names))
    if not changed:
        return graph
    nodes = [made for node in graph.nodes for made in changed.get(node, (node,))]
    return replace(graph, nodes=tuple(nodes))


class _Way(NamedTuple):
    """How a part is computed: equal for maps of other parts that are computed so."""

    expression: str
    wholes: tuple[Value, ...]
    direction: Direction
    type: TensorType


class _PartMap(NamedTuple):
    """``node`` makes the part of a whole that ``cut`` cuts out of it."""

    cut: Cut
    node: Node


@dataclass
class _Finding:
    graph: Graph

    def __post_init__(self) -> None:
        self._users = self.graph.users()
        self._made = {v: i for i, n in enumerate(self.graph.nodes) for v in n.outputs}

    def alike(self, whole: Node, axis: int) -> Iterator[tuple[_Way, list[_PartMap]]]:
        """Maps, one of each part, that could be one; in order."""
        found: dict[_Way, list[_PartMap]] = {}
        start = 0
        for part in whole.inputs:
            cut = Cut(axis, start, start := start + part.shape[axis])
            for node in self._users[part]:
                way = self._way(node, whole, cut)
                if way is not None:
                    found.setdefault(way, []).append(_PartMap(cut, node))
        for way, maps in found.items():
            maps.sort(key=lambda found: self._made[found.node.output])
            if len(maps) == len(whole.inputs) and self._is_first(way, maps[0].node):
                yield way, maps

    def _way(self, node: Node, whole: Node, cut: Cut) -> _Way | None:
        """How a node makes a part, if it makes it of parts of wholes alone."""
        op = node.op
        if not isinstance(op, Map) or op.shape is not None or len(node.outputs) != 1:
            return None
        type = replace(node.output.type, shape=whole.output.shape)
        if not cuts_whole_vectors(cut, type):
            return None
        if any(not x.args and x.op not in _ANYWHERE for x in walk(*op.exprs)):
            return None
        wholes, cuts = [], 0
        for value in node.inputs:
            made = self.graph.producers.get(value)
            if value in whole.inputs:
                wholes.append(whole.output)
            elif made is not None and made.op.cut == cut and made.inputs[0].shape == type.shape:
                wholes.append(made.inputs[0])
                cuts += 1
            else:
                return None
        return _Way(format_op(op), tuple(wholes), node.direction, type) if cuts else None

    def _is_first(self, way: _Way, node: Node) -> bool:
        """Whether all wholes are there before anything is computed of a part."""
        first = self._made[node.output]
        return all(self._made.get(value, -1) < first for value in way.wholes)


def _joined(
    whole: Node, way: _Way, maps: Sequence[_PartMap], names: Context
) -> Iterator[tuple[Node, list[Node]]]:
    """What stands in the place of each map."""
    first = maps[0].node
    made = names.fresh(f"{whole.output.name}.parts", way.type)
    joined = replace(first, inputs=way.wholes, outputs=(made,), location=whole.location)
    for cut, node in maps:
        part = replace(node, op=Slice(*cut), inputs=(made,))
        yield node, [joined, part] if node is first else [part]

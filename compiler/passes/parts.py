"""What is put together of parts: on GPUs kernels write the parts where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace

from ir.expr import arg
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.pointwise import Map
from ir.size import Size

from .bodies import in_bodies
from .context import UNBOUNDED, PassContext
from .fusion.patterns import OpPattern, pattern_of
from .part_maps import join_part_maps
from .part_sums import join_part_sums
from .rewrite import Context
from .simplify import remove_dead_code

_BY_COORDINATES = {OpPattern.FLAT, OpPattern.REDUCE, OpPattern.CONTRACT}
"""Kernels that ask for elements by their coordinates, wherever these lie."""


@in_bodies
def place_parts(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Put together in place what kernels have to store anyway; what somebody else reads, what has
    no kernel of its own, and what stands in two places, is copied there.

    Before::

        %a: f32[N,16,H,W]{0,2,3,1} = conv(%x, %w)
        %y: f32[N,24,H,W]{0,2,3,1} = concat(%a, %b) axis=1
        output %b: f32[N,8,H,W]

    After::

        %a: f32[N,16,H,W]{0,2,3,1} = conv(%x, %w)
        %b.part: f32[N,8,H,W]{0,2,3,1} = map(%b) {a0}
        %y: f32[N,24,H,W]{0,2,3,1} = concat(%a, %b.part) axis=1 whole=true
        output %b: f32[N,8,H,W]

    Nothing changes for CPUs, whose kernels run along memory. What is computed of all parts alike
    is computed of the whole then (:mod:`.part_maps`, :mod:`.part_sums`).
    """
    if context.options.target.kind != "cuda":
        return graph
    placing = _Placing(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        if placing.is_worth_it(node) and context.fuel.take("parts: {} is put together", node):
            nodes += placing.placed(node)
        else:
            nodes.append(node)
    if not placing.wholes:
        return graph
    joined = join_part_maps(replace(graph, nodes=tuple(nodes)), context)
    return remove_dead_code(join_part_sums(joined, context), context)


@dataclass
class _Placing:
    """Of one graph. ``wholes``: what was put together in place; ``parts``: what lies in them."""

    graph: Graph
    wholes: set[Value] = field(default_factory=set)
    parts: set[Value] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._names = Context(self.graph)
        self._shown = {port.value for port in self.graph.outputs}
        self._users = self.graph.users()
        self._stored = set(_stored(self.graph))

    def is_worth_it(self, node: Node) -> bool:
        """Whether more is written in place than is copied by a kernel that does nothing else."""
        if node.op.in_place() in (None, node.op) or not _has_parts(node):
            return False
        values = set(node.inputs)
        stored = values & (self._stored | self.wholes)
        return len(stored) > len(values - stored) and any(self._may_lie(v, node) for v in stored)

    def placed(self, node: Node) -> Iterator[Node]:
        op, inputs = node.op.in_place(), []
        assert op is not None, "it was asked whether it is worth it"
        for value in node.inputs:
            if not self._may_lie(value, node):
                part = self._names.fresh(
                    f"{value.name}.part", replace(value.type, layout=node.output.type.layout)
                )
                copy = Map((arg(0, value.type.dtype),))
                yield Node(copy, (value,), (part,), node.location, node.direction)
                value = part
            self.parts.add(value)
            inputs.append(value)
        self.wholes.add(node.output)
        yield replace(node, op=op, inputs=tuple(inputs))

    def _may_lie(self, value: Value, node: Node) -> bool:
        """Whether all that writes or reads a value finds its elements where they are in another."""
        made = value in self.wholes or value in self._stored
        if not made or value in self._shown or value in self.parts:
            return False
        if value.type.layout != node.output.type.layout:
            return False
        readers = (n for n in self._users[value] if n is not node)
        return all(pattern_of(n) in _BY_COORDINATES for n in readers)


def _has_parts(node: Node) -> bool:
    """Whether memory has the parts apart: no block of it that they share, and each of them more
    than one element."""
    layout = node.output.type.layout
    if layout is not None and any(part.block for part in layout.parts):
        return False
    return all(isinstance(v.type.size, Size) or v.type.size > 1 for v in node.inputs)


def _stored(graph: Graph) -> Iterator[Value]:
    """What a kernel makes that does more than to move elements of ports: sums, windows, and what
    follows from one element by element."""
    found: Set[Value] = set()
    for node in graph.nodes:
        pattern = pattern_of(node)
        pointwise = node.op.properties & Property.POINTWISE and not found.isdisjoint(node.inputs)
        sums = pattern in (OpPattern.REDUCE, OpPattern.CONTRACT)
        if sums or pointwise or (pattern is OpPattern.FLAT and node.op.properties & Property.LOCAL):
            found |= set(node.outputs)
            yield from node.outputs

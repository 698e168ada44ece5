"""Reductions of all parts of a whole become one reduction of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ir.graph import Direction, Graph, Node, Value
from ir.op import Cut
from ir.ops.movement import Slice
from ir.text import format_op

from .context import UNBOUNDED, PassContext
from .rewrite import Context


def join_part_sums(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Reduce a whole where each of its parts is reduced in the same way: who makes the whole can
    sum it up, too.

    Before::

        %d_a: f32[N,16,H,W] = slice(%d_y) axis=1 start=0 stop=16
        %s_a: f32[1,16,1,1] = reduce(%d_a) kind="sum" axes=(0,2,3)
        %d_b: f32[N,8,H,W] = slice(%d_y) axis=1 start=16 stop=24
        %s_b: f32[1,8,1,1] = reduce(%d_b) kind="sum" axes=(0,2,3)

    After::

        %d_y.reduce: f32[1,24,1,1] = reduce(%d_y) kind="sum" axes=(0,2,3)
        %s_a: f32[1,16,1,1] = slice(%d_y.reduce) axis=1 start=0 stop=16
        %s_b: f32[1,8,1,1] = slice(%d_y.reduce) axis=1 start=16 stop=24
    """
    names = Context(graph)
    changed: dict[Node, list[Node]] = {}
    for way, parts in _alike(graph):
        whole = way.whole
        if context.fuel.take("parts: joined what is summed of {}", parts[0].node):
            changed.update(_joined(whole, parts, names))
    if not changed:
        return graph
    nodes = [made for node in graph.nodes for made in changed.get(node, (node,))]
    return replace(graph, nodes=tuple(nodes))


class _Way(NamedTuple):
    whole: Value
    axis: int
    op: str
    direction: Direction


class _Part(NamedTuple):
    cut: Cut
    node: Node


def _alike(graph: Graph) -> Iterator[tuple[_Way, list[_Part]]]:
    """Reductions, in order, that together reduce all of a whole."""
    found: dict[_Way, list[_Part]] = {}
    for node in graph.nodes:
        if node.op.fold is None or len(node.outputs) != 1:
            continue
        maker = graph.producers.get(node.inputs[0])
        cut = maker.op.cut if maker else None
        if maker and cut and cut.axis not in node.op.reduced_axes:
            way = _Way(maker.inputs[0], cut.axis, format_op(node.op), node.direction)
            found.setdefault(way, []).append(_Part(cut, node))
    for way, parts in found.items():
        if _is_all(sorted(part.cut for part in parts), way.whole.shape[way.axis]):
            yield way, parts


def _is_all(cuts: Sequence[Cut], extent: int) -> bool:
    starts, stops = [cut.start for cut in cuts], [cut.stop for cut in cuts]
    return len(cuts) > 1 and [*starts, extent] == [0, *stops]


def _joined(
    whole: Value, parts: Sequence[_Part], names: Context
) -> Iterator[tuple[Node, list[Node]]]:
    """What stands in the place of each reduction."""
    first = parts[0].node
    (type,) = first.op.infer([whole.type.logical])
    total = names.fresh(f"{whole.name}.reduce", replace(type, layout=first.output.type.layout))
    joined = replace(first, inputs=(whole,), outputs=(total,))
    for cut, node in parts:
        part = replace(node, op=Slice(*cut), inputs=(total,))
        yield node, [joined, part] if node is first else [part]

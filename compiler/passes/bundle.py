"""Which groups may have launches in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ir.graph import Graph, Node, Role, Value
from ir.ops.fusion import Fused

from .context import UNBOUNDED, PassContext

_LIGHT = {"flat", "reduce", "contract"}
"""Schedules that make small kernels: of elements one by one, or second ones, which add up parts."""
_KEPT = {Role.PARAMETER, Role.STATE, Role.GRADIENT, Role.HYPER}


def bundle(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Let small kernels of parameters, and of their diffs, share launches.

    Before::

        %w.copy: f32[32,16,3,3]{0,2,3,1} = fused(%w) label="conv1" schedule="flat" body=...
        %v.copy: f32[32,32,3,3]{0,2,3,1} = fused(%v) label="conv2" schedule="flat" body=...

    After::

        %w.copy: ... = fused(%w) label="conv1" schedule="flat" bundled=true body=...
        %v.copy: ... = fused(%v) label="conv2" schedule="flat" bundled=true body=...

    Of what follows from parameters alone, and of what is only part of their diffs. Neither has a
    place in the order of layers, and none grows with a batch. Which kernels there are is decided
    later, and with them who shares a launch (:mod:`compiler.bundles`).
    """
    if context.options.target.kind != "cuda":
        return graph
    free = {*_before_data(graph), *_behind_data(graph)}
    nodes = tuple(_marked(node, context) if node in free else node for node in graph.nodes)
    changed = any(a is not b for a, b in zip(nodes, graph.nodes, strict=True))
    return replace(graph, nodes=nodes) if changed else graph


def _before_data(graph: Graph) -> Iterator[Node]:
    """Nodes that read parameters, and what other such nodes make of them."""
    known = {port.value for port in graph.inputs if port.role in _KEPT}
    for node in graph.nodes:
        if known.issuperset(node.inputs):
            known.update(node.outputs)
            yield node


def _behind_data(graph: Graph) -> Iterator[Node]:
    """Nodes whose results are diffs or states, or read by such nodes alone."""
    needed: set[Value] = {port.value for port in graph.outputs if port.role not in _KEPT}
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.outputs):
            yield node
        else:
            needed.update(node.inputs)


def _marked(node: Node, context: PassContext) -> Node:
    op = node.op
    if not isinstance(op, Fused) or op.schedule not in _LIGHT or op.bundled:
        return node
    if not context.fuel.take("bundle: the kernels of {}", node):
        return node
    return replace(node, op=replace(op, bundled=True))

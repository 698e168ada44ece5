"""Passes go into the bodies of loops."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ir.graph import Graph, Node
from ir.ops.loop import StepLoop

from .context import UNBOUNDED, PassContext


class _Pass(Protocol):
    def __call__(self, graph: Graph, context: PassContext = ...) -> Graph: ...


def in_bodies(step: _Pass) -> _Pass:
    """Decorator: what a pass does to a graph it does to the bodies of its loops first."""

    @functools.wraps(step)
    def deep(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
        return step(with_bodies(graph, lambda _, body: deep(body, context)), context)

    return deep


def with_bodies(graph: Graph, rewritten: Callable[[Node, Graph], Graph]) -> Graph:
    """The graph with other bodies in its loops; itself where none is another one."""
    nodes: list[Node] | None = None
    for number, node in enumerate(graph.nodes):
        if not isinstance(node.op, StepLoop):
            continue
        body = rewritten(node, node.op.body)
        if body is not node.op.body:
            nodes = nodes or list(graph.nodes)
            nodes[number] = replace(node, op=replace(node.op, body=body))
    return graph if nodes is None else replace(graph, nodes=tuple(nodes))

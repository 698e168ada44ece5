"""Nodes of a graph as statements, by the rules for their ops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ir.graph import Node, Value
from ir.op import Property
from ir.ops.pointwise import Map

from .body import Body
from .expressions import read_operands
from .refusal import NotWritten
from .registry import OP_RULES


def needed_nodes(nodes: Sequence[Node], values: Iterable[Value]) -> list[Node]:
    """The nodes that make values, and what these read: without seeds of random numbers."""
    needed = set(values)
    found = []
    for node in reversed(nodes):
        if needed.isdisjoint(node.outputs):
            continue
        found.append(node)
        read: Iterable[int] = range(len(node.inputs))
        if isinstance(node.op, Map):
            read = read_operands(node.op.exprs)
        needed.update(node.inputs[number] for number in read)
    return found[::-1]


def write_nodes(nodes: Iterable[Node], body: Body) -> None:
    """Raises NotWritten for an op without a rule."""
    for node in nodes:
        rule = OP_RULES.get(type(node.op))
        if rule is None:
            host = bool(node.op.properties & Property.HOST)
            what = "runs on the host" if host else "has no counterpart in PyTorch"
            raise NotWritten(f"'{node.op.name}' {what}")
        rule(node.op, node, body)

"""Pointwise expressions."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.pointwise import Map

from ..expressions import Expressions
from ..registry import expresses
from ..writer import Writer


@expresses(Map)
def pointwise(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, Map)
    at = Expressions(writer, node.inputs, node.outputs[0].shape)
    return [at.result(root) for root in op.exprs]

"""What patterns ask about maps."""

from __future__ import annotations

from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.pointwise import Map


def only_expression(node: Node) -> Expr | None:
    """The expression of a map that has one."""
    return node.op.exprs[0] if isinstance(node.op, Map) and len(node.op.exprs) == 1 else None


def plain_operands(node: Node, root: Expr, op: str) -> list[Value] | None:
    """What ``op(a0, a1)`` reads, in that order."""
    if root.op != op or any(a.op != "arg" for a in root.args):
        return None
    return [node.inputs[int(a.value)] for a in root.args]

"""What patterns ask about maps."""

from __future__ import annotations

from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.pointwise import Map


def only_expression(node: Node) -> Expr | None:
    """The expression of a map that has one."""
    return node.op.exprs[0] if isinstance(node.op, Map) and len(node.op.exprs) == 1 else None


def divided_by(node: Node) -> tuple[Value, Expr] | None:
    """What a map divides, if it does nothing but that to an operand, and by what."""
    root = only_expression(node)
    if root is None or root.op != "div" or root.args[0].op != "arg":
        return None
    return node.inputs[int(root.args[0].value)], root.args[1]


def plain_operands(node: Node, root: Expr, op: str) -> list[Value] | None:
    """What ``op(a0, a1)`` reads, in that order."""
    if root.op != op or any(a.op != "arg" for a in root.args):
        return None
    return [node.inputs[int(a.value)] for a in root.args]

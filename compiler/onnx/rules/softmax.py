"""Softmax, which is no op of the IR."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.pointwise import Map
from ir.ops.reduction import Reduce

from ..maps import only_expression, plain_operands
from ..patterns import Around, OneNode, pattern


@pattern(Map)
def softmax_of_axis(around: Around, node: Node) -> OneNode | None:
    """exp(x - max) over its sum, along one axis."""
    root = only_expression(node)
    found = plain_operands(node, root, "div") if root is not None else None
    if not found:
        return None
    above, below = found
    powers, total = around.made_by(above, Map), around.made_by(below, Reduce)
    if powers is None or total is None or total.inputs != (above,):
        return None
    inner = only_expression(powers)
    if inner is None or inner.op != "exp":
        return None
    parts = plain_operands(powers, inner.args[0], "sub")
    highest = around.made_by(parts[1], Reduce) if parts else None
    if not parts or highest is None or highest.inputs != (parts[0],):
        return None
    kinds = highest.op, total.op
    assert isinstance(kinds[0], Reduce) and isinstance(kinds[1], Reduce)
    if (kinds[0].kind, kinds[1].kind) != ("max", "sum") or kinds[0].axes != kinds[1].axes:
        return None
    if len(kinds[0].axes) != 1 or node.output.shape != parts[0].shape:
        return None
    if not around.only_read_by(above, total, node) or not around.only_read_by(below, node):
        return None
    if not around.only_read_by(parts[1], powers):
        return None
    x, axis = parts[0], kinds[0].axes[0]
    return OneNode(
        (highest, powers, total, node),
        lambda writer: [writer.node("Softmax", [writer.of(x)], axis=axis)],
    )

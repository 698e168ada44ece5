"""Results whose size depends on data."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.dynamic import NonZero, Trim

from ..printing.body import Body
from ..printing.registry import op_rule


@op_rule(NonZero)
def write_non_zero(op: NonZero, node: Node, body: Body) -> None:
    x = body.operand(node.inputs[0])
    body.bind(node.output, f"{x}.flatten().nonzero().flatten().int()")


@op_rule(Trim)
def write_trim(op: Trim, node: Node, body: Body) -> None:
    x, n = map(body.operand, node.inputs)
    body.bind(node.output, f"{x}.narrow({op.axis}, 0, int({n}))")

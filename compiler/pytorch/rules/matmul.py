"""Products of matrices."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.matmul import MatMul

from ..printing.body import Body
from ..printing.registry import op_rule


@op_rule(MatMul)
def write_matmul(op: MatMul, node: Node, body: Body) -> None:
    a, b = (body.operand(v) for v in node.inputs)
    of_tables = [v in body.tables for v in node.inputs]
    if of_tables == [True, False]:
        a = f"{a}.to({b}.dtype)"
    elif of_tables == [False, True]:
        b = f"{b}.to({a}.dtype)"
    turned = ".mT" if op.transpose_a else "", ".mT" if op.transpose_b else ""
    body.bind(node.output, f"{a}{turned[0]} @ {b}{turned[1]}")

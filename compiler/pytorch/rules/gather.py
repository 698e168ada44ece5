"""Rows picked by their numbers, and put where numbers say."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.gather import Gather, ScatterAdd, ScatterLast

from ..printing.body import Body
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(Gather)
def write_gather(op: Gather, node: Node, body: Body) -> None:
    body.use("take_rows")
    body.bind(node.output, calls("take_rows", *map(body.operand, node.inputs)))


@op_rule(ScatterAdd)
def write_scatter_add(op: ScatterAdd, node: Node, body: Body) -> None:
    body.use("add_rows")
    operands = map(body.operand, node.inputs)
    body.bind(node.output, calls("add_rows", *operands, body.size(op.count)))


@op_rule(ScatterLast)
def write_scatter_last(op: ScatterLast, node: Node, body: Body) -> None:
    body.use("put_last")
    operands = map(body.operand, node.inputs)
    body.bind(node.output, calls("put_last", *operands, body.size(op.count)))

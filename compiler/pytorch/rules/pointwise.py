"""Maps."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.pointwise import Map

from ..printing.body import Body
from ..printing.expressions import print_map
from ..printing.registry import op_rule


@op_rule(Map)
def write_map(op: Map, node: Node, body: Body) -> None:
    operands = [(body.of.get(v, ""), v.shape) for v in node.inputs]
    # Seeds of random numbers have no names: nothing reads them.
    texts = print_map(body, op.exprs, operands, node.outputs[0].shape)
    for value, text in zip(node.outputs, texts, strict=True):
        body.bind(value, text)
    if all(v in body.tables for v in node.inputs):
        body.tables.update(node.outputs)

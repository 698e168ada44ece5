"""Which elements are the largest, and in which order."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.introsort import IntroSort
from ir.ops.selection import Largest
from ir.ops.sort import TopK

from ..printing.body import Body
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(TopK)
def write_top_k(op: TopK, node: Node, body: Body) -> None:
    body.use("top_k")
    x = body.operand(node.inputs[0])
    text = calls("top_k", x, body.size(op.k), f"last={op.tie == 'last'}")
    body.bind_parts(node.outputs, text)


@op_rule(Largest)
def write_largest(op: Largest, node: Node, body: Body) -> None:
    body.use("mark_largest")
    body.bind(node.output, calls("mark_largest", *map(body.operand, node.inputs)))


@op_rule(IntroSort)
def write_introsort(op: IntroSort, node: Node, body: Body) -> None:
    body.use("sorted_places")
    body.use(f"sorted_by_{op.pivot}")
    operands = map(body.operand, node.inputs)
    order = f"{op.pivot}_order"
    body.bind(node.output, calls("sorted_places", *operands, body.size(op.k), order))

"""Boxes that overlap."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.match import Match
from ir.ops.suppression import NonMaximum

from ..printing.body import Body
from ..printing.expressions import float_text
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(NonMaximum)
def write_non_maximum(op: NonMaximum, node: Node, body: Body) -> None:
    body.use("suppressed")
    operands = map(body.operand, node.inputs)
    numbers = (float_text(op.threshold), float_text(op.eta), body.size(op.most), str(op.pixel))
    text = calls("suppressed", *operands, *numbers, str(op.touching))
    body.bind_parts(node.outputs, text, "kept")


@op_rule(Match)
def write_match(op: Match, node: Node, body: Body) -> None:
    body.use("matched")
    operands = map(body.operand, node.inputs)
    numbers = (body.size(op.sets), float_text(op.threshold), str(op.rest), str(op.inside))
    body.bind_parts(node.outputs, calls("matched", *operands, *numbers), "match")

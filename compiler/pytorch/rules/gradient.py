"""Gradients that are none of what is computed."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.gradient import ClipDiff, DiffAs

from ..printing.body import Body
from ..printing.expressions import float_text
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(DiffAs)
def write_diff_as(op: DiffAs, node: Node, body: Body) -> None:
    body.use("diff_as")
    body.bind(node.output, calls("DiffAs.apply", *map(body.operand, node.inputs)))


@op_rule(ClipDiff)
def write_clip_diff(op: ClipDiff, node: Node, body: Body) -> None:
    body.use("clip_diff")
    x = body.operand(node.inputs[0])
    body.bind(node.output, calls("ClipDiff.apply", x, float_text(op.limit)))

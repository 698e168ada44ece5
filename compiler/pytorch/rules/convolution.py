"""Convolutions and their transposes."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.convolution import Conv, ConvInputGrad

from ..printing.body import Body
from ..printing.layout import calls
from ..printing.refusal import NotWritten
from ..printing.registry import op_rule


def spatial_rank(node: Node) -> int:
    """Axes of images: PyTorch has convolutions over one, two and three."""
    rank = node.inputs[0].type.rank - 2
    if rank > 3:
        raise NotWritten(f"a convolution over {rank} axes")
    return rank


@op_rule(Conv)
def write_conv(op: Conv, node: Node, body: Body) -> None:
    rank = spatial_rank(node)
    x, w = map(body.operand, node.inputs)
    where = [body.shape(part) for part in (op.stride, op.pad, op.dilation)]
    body.bind(node.output, calls(f"F.conv{rank}d", x, w, "None", *where, str(op.group)))


@op_rule(ConvInputGrad)
def write_conv_input_grad(op: ConvInputGrad, node: Node, body: Body) -> None:
    spatial_rank(node)
    body.use("spread_convolution")
    where = [body.shape(part) for part in (op.stride, op.pad, op.dilation)]
    operands = map(body.operand, node.inputs)
    extents = body.shape(op.spatial)
    body.bind(node.output, calls("spread_convolution", *operands, *where, str(op.group), extents))

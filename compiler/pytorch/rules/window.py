"""Windows over any axes."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.window import (
    WindowMax,
    WindowPick,
    WindowScatter,
    WindowSpread,
    WindowSum,
)

from ..printing.body import Body
from ..printing.layout import PythonText, calls
from ..printing.registry import op_rule


def _where(op: WindowSum | WindowMax | WindowSpread, body: Body) -> list[PythonText]:
    """Window, stride, low and high."""
    return [body.shape(part) for part in (op.window, op.stride, op.low, op.high)]


@op_rule(WindowSum)
def write_window_sum(op: WindowSum, node: Node, body: Body) -> None:
    body.use("window_sum")
    body.bind(node.output, calls("window_sum", body.operand(node.inputs[0]), *_where(op, body)))


@op_rule(WindowSpread)
def write_window_spread(op: WindowSpread, node: Node, body: Body) -> None:
    body.use("window_spread")
    g, shape = body.operand(node.inputs[0]), body.shape(op.shape)
    body.bind(node.output, calls("window_spread", g, shape, *_where(op, body)))


@op_rule(WindowMax)
def write_window_max(op: WindowMax, node: Node, body: Body) -> None:
    body.use("window_max")
    x = body.operand(node.inputs[0])
    text = calls("window_max", x, *_where(op, body), str(op.spatial_rank))
    body.bind_parts(node.outputs, text)


@op_rule(WindowScatter)
def write_window_scatter(op: WindowScatter, node: Node, body: Body) -> None:
    body.use("window_place")
    operands = map(body.operand, node.inputs)
    shape = body.shape(op.shape)
    body.bind(node.output, calls("window_scatter", *operands, shape, str(op.spatial_rank)))


@op_rule(WindowPick)
def write_window_pick(op: WindowPick, node: Node, body: Body) -> None:
    body.use("window_place")
    operands = map(body.operand, node.inputs)
    body.bind(node.output, calls("window_pick", *operands, str(op.spatial_rank)))

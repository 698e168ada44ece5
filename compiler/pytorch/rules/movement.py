"""Ops that move elements."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.size import size_text

from ..printing.body import Body
from ..printing.expressions import float_text
from ..printing.layout import calls, list_text
from ..printing.registry import op_rule


@op_rule(Reshape)
def write_reshape(op: Reshape, node: Node, body: Body) -> None:
    (x,) = node.inputs
    name = body.operand(x)
    if x.shape == op.shape:
        body.of[node.output] = name
        return
    last = len(op.shape) - 1
    if 0 <= last < len(x.shape) - 1 and op.shape[:last] == x.shape[:last]:
        body.bind(node.output, calls(f"{name}.flatten", *([str(last)] if last else [])))
        return
    body.bind(node.output, calls(f"{name}.reshape", *_extents(op.shape, body)))


def _extents(shape: tuple[int, ...], body: Body) -> list[str]:
    """With -1 in the place of the longest text of a size."""
    longest = max(range(len(shape)), key=lambda axis: len(size_text(shape[axis])), default=0)
    return [
        "-1" if axis == longest and len(size_text(d)) > _LONG else body.size(d)
        for axis, d in enumerate(shape)
    ] or ["()"]


_LONG = 12
"""Characters of a size that nobody wants to read."""


@op_rule(Transpose)
def write_transpose(op: Transpose, node: Node, body: Body) -> None:
    order = [str(axis) for axis in op.order]
    body.bind(node.output, calls(f"{body.operand(node.inputs[0])}.permute", *order))


@op_rule(Slice)
def write_slice(op: Slice, node: Node, body: Body) -> None:
    name = body.operand(node.inputs[0])
    start, count = body.size(op.start), body.size(op.stop - op.start)
    body.bind(node.output, calls(f"{name}.narrow", str(op.axis), start, count))


@op_rule(Concat)
def write_concat(op: Concat, node: Node, body: Body) -> None:
    parts = list_text([body.operand(v) for v in node.inputs])
    body.bind(node.output, calls("torch.cat", parts, str(op.axis)))


@op_rule(Pad)
def write_pad(op: Pad, node: Node, body: Body) -> None:
    pairs = list(zip(op.low, op.high, strict=True))
    while pairs and pairs[0] == (0, 0):
        pairs.pop(0)
    amounts = list_text([body.size(a) for pair in reversed(pairs) for a in pair])
    more = [f"value={float_text(op.value)}"] if op.value else []
    body.bind(node.output, calls("F.pad", body.operand(node.inputs[0]), amounts, *more))

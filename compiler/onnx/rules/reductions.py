"""Whole axes made into one element."""

from __future__ import annotations

from ir.graph import Node
from ir.op import DEVIATIONS
from ir.ops.reduction import ArgExtreme, Reduce
from ir.size import Size
from ir.types import DType

from ..registry import expresses
from ..writer import Writer

_KINDS = {"sum": "Sum", "max": "Max", "min": "Min", "prod": "Prod"}


@expresses(Reduce)
def reduce(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, Reduce)
    (x,) = node.inputs
    name = writer.of(x)
    if not op.axes:
        return [name]
    extents = [x.shape[axis] for axis in op.axes]
    if any(not isinstance(d, Size) and d == 0 for d in extents) and op.kind in ("max", "min"):
        return [writer.filled(node.output.shape, 0, x.type.dtype)]
    if op.kind != DEVIATIONS:
        return [writer.reduce(_KINDS[op.kind], name, op.axes)]
    away = writer.node("Sub", [name, writer.reduce("Mean", name, op.axes)])
    return [writer.reduce("SumSquare", away, op.axes)]


@expresses(ArgExtreme)
def arg_extreme(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, ArgExtreme)
    found = writer.node(
        "ArgMax" if op.kind == "max" else "ArgMin",
        [writer.of(node.inputs[0])],
        axis=op.axis,
        keepdims=1,
        select_last_index=int(op.tie == "last"),
    )
    return [writer.cast(found, DType.I32)]

"""Whole axes made into one element."""

from __future__ import annotations

import math

from ir.graph import Node
from ir.op import DEVIATIONS
from ir.ops.pointwise import Map
from ir.ops.reduction import ArgExtreme, Reduce
from ir.size import Size
from ir.types import DType

from ..maps import divided_by
from ..patterns import Around, OneNode, pattern
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


@pattern(Map)
def mean(around: Around, node: Node) -> OneNode | None:
    """A sum over how many numbers it is of: GlobalAveragePool, ReduceMean."""
    found = divided_by(node)
    if found is None:
        return None
    total, count = found
    inner = around.made_by(total, Reduce)
    if inner is None or count.op not in ("const", "dyn") or node.output.shape != total.shape:
        return None
    op = inner.op
    assert isinstance(op, Reduce)
    (x,) = inner.inputs
    wanted = math.prod(x.shape[axis] for axis in op.axes)
    known = isinstance(count.value, Size) is isinstance(wanted, Size) and count.value == wanted
    if op.kind != "sum" or not op.axes or not known or not around.only_read_by(total, node):
        return None
    rank = x.type.rank

    def emit(writer: Writer) -> list[str]:
        if rank > 2 and sorted(op.axes) == list(range(2, rank)):
            return [writer.node("GlobalAveragePool", [writer.of(x)])]
        return [writer.reduce("Mean", writer.of(x), op.axes)]

    return OneNode((inner, node), emit, half=False)  # many numbers are added up

"""The largest elements of rows."""

from __future__ import annotations

import numpy as np

from ir.graph import Node
from ir.ops.introsort import IntroSort
from ir.ops.selection import FARTHEST, Largest
from ir.ops.sort import TopK
from ir.types import DType

from ..ranges import first_of_rows
from ..registry import expresses
from ..writer import Writer


@expresses(TopK)
def topk(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, TopK)
    (x,) = node.inputs
    name, axis = writer.of(x), x.type.rank - 1
    if op.tie == "first":  # as ONNX has it
        values, places = _sorted(writer, name, op.k)
        return [values, writer.cast(places, DType.I32)]
    values, places = _sorted(writer, writer.slice(name, axis, -1, None, -1), op.k)
    last = writer.number(x.shape[-1] - 1, DType.I32)
    return [values, writer.node("Sub", [last, writer.cast(places, DType.I32)])]


def _sorted(writer: Writer, name: str, k: int) -> list[str]:
    """The largest along the last axis and their places in int64, of equal ones the first."""
    return writer.node_of("TopK", [name, writer.shape([k])], 2, axis=-1, largest=1, sorted=1)


@expresses(Largest)
def largest_of_rows(writer: Writer, node: Node) -> list[str]:
    x, counts = node.inputs
    bounds = [writer.constant(x.type.dtype.numpy.type(b)) for b in (-FARTHEST, FARTHEST)]
    name = writer.of(x)
    odd = writer.node("IsNaN", [name])
    name = writer.node("Clip", [writer.node("Where", [odd, bounds[1], name]), *bounds])
    _, places = _sorted(writer, name, x.shape[1])
    _, taken = first_of_rows(writer, x.shape[1], counts)
    chosen = writer.cast(taken, DType.I32)
    nothing = writer.filled(x.shape, 0, DType.I32)
    return [writer.node("ScatterElements", [nothing, places, chosen], axis=1)]


@expresses(IntroSort)
def introsort(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, IntroSort)
    writer.notes.setdefault(
        "where scores are equal and not all are kept, the first of them are: Caffe's sort keeps "
        "others of the equal ones"
    )
    x, marked, wanted = node.inputs
    zero = writer.constant(np.int32(0))
    marks = writer.node("Equal", [writer.of(marked), writer.constant(np.int32(1))])
    lowest = writer.constant(x.type.dtype.numpy.type(-np.inf))
    _, places = _sorted(writer, writer.node("Where", [marks, writer.of(x), lowest]), op.k)
    count = writer.reduce("Sum", writer.cast(marks, DType.I32), [1])
    number = writer.reshape(writer.arange(op.k), (1, op.k))
    asked = writer.node("Not", [writer.node("Equal", [writer.of(wanted), zero])])
    there = writer.node(
        "And",
        [writer.node("Less", [number, count]), writer.reshape(asked, (x.shape[0], 1))],
    )
    return [writer.node("Where", [there, writer.cast(places, DType.I32), zero])]

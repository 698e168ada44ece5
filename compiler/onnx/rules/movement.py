"""Ops that move elements."""

from __future__ import annotations

import numpy as np

from ir.graph import Node
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.types import DType

from ..paddings import padded
from ..registry import expresses
from ..writer import Writer


@expresses(Reshape)
def reshape(writer: Writer, node: Node) -> list[str]:
    return [writer.reshape(writer.of(node.inputs[0]), node.output.shape)]


@expresses(Transpose)
def transpose(writer: Writer, node: Node) -> list[str]:
    assert isinstance(node.op, Transpose)
    return [writer.node("Transpose", [writer.of(node.inputs[0])], perm=list(node.op.order))]


@expresses(Slice)
def slice_(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, Slice)
    return [writer.slice(writer.of(node.inputs[0]), op.axis, op.start, op.stop)]


@expresses(Concat)
def concat(writer: Writer, node: Node) -> list[str]:
    assert isinstance(node.op, Concat)
    if len(node.inputs) == 1:
        return [writer.of(node.inputs[0])]
    return [writer.node("Concat", list(map(writer.of, node.inputs)), axis=node.op.axis)]


@expresses(Pad)
def pad(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, Pad)
    (x,) = node.inputs
    if x.type.dtype is not DType.BOOL:
        number = x.type.dtype.numpy.type(op.value)
        return [padded(writer, writer.of(x), op.low, op.high, number)]
    wide = writer.cast(writer.of(x), DType.I32)
    made = padded(writer, wide, op.low, op.high, np.int32(op.value))
    return [writer.cast(made, DType.BOOL)]

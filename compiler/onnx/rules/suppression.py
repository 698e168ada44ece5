"""Boxes that overlap better ones, left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Node
from ir.ops.suppression import NonMaximum
from ir.types import DType

from ..ranges import first_of_rows
from ..registry import expresses
from ..scans import Typed, scanned
from ..writer import Writer


@expresses(NonMaximum)
def non_maximum(writer: Writer, node: Node) -> list[str]:
    """NonMaxSuppression, whose scores fall along a row: boxes stand in their order."""
    op = node.op
    assert isinstance(op, NonMaximum)
    if op.touching or (op.eta < 1.0 and op.threshold > 0.5):
        return _one_by_one(writer, node, op)
    boxes, counts = node.inputs
    dtype = boxes.type.dtype.numpy.type
    rows, length = boxes.shape[:2]
    corners = [writer.slice(writer.of(boxes), 2, i, i + 1) for i in range(4)]
    # A box that ends before it begins overlaps none: one without an area is put in its place,
    # as NonMaxSuppression would turn it round.
    there = _real(writer, corners)
    if op.pixel:
        one = writer.constant(dtype(1))
        corners[2:] = [writer.node("Add", [corner, one]) for corner in corners[2:]]
    # Corners as y1, x1, y2, x2.
    turned = writer.node("Concat", [corners[i] for i in (1, 0, 3, 2)], axis=2)
    turned = writer.node("Where", [there, turned, writer.constant(dtype(0))])
    number, counted = first_of_rows(writer, length, counts)
    order = writer.node("Sub", [writer.number(length, DType.F32), writer.cast(number, DType.F32)])
    scores = writer.node("Where", [counted, order, writer.constant(np.float32(0))])
    scores = writer.reshape(writer.expand(scores, (rows, length)), (rows, 1, length))
    most = op.most or length
    chosen = writer.node(
        "NonMaxSuppression",
        [
            writer.cast(turned, DType.F32) if boxes.type.dtype is not DType.F32 else turned,
            scores,
            writer.shape([most]),
            writer.constant(np.array([op.threshold], np.float32)),
            writer.constant(np.array([0.5], np.float32)),
        ],
    )
    place = writer.node("Gather", [chosen, writer.ints([0, 2])], axis=1)
    one_each = writer.node(
        "Expand",
        [
            writer.constant(np.array([1], np.int32)),
            writer.node("Slice", [writer.node("Shape", [chosen]), *map(writer.ints, ([0], [1]))]),
        ],
    )
    nothing = writer.filled((rows, length), 0, DType.I32)
    kept = writer.node("ScatterND", [nothing, place, one_each])
    return [kept, writer.reduce("Sum", kept, [1], keep=False)]


def _one_by_one(writer: Writer, node: Node, op: NonMaximum) -> list[str]:
    """Box after box of all rows at once: for what NonMaxSuppression knows nothing of, a threshold
    that falls, and boxes left out whose overlap is the threshold itself."""
    boxes, counts = node.inputs
    rows, length = boxes.shape[:2]
    dtype = boxes.type.dtype
    zero, half, pixel, eta, threshold = (
        writer.constant(dtype.numpy.type(x)) for x in (0, 0.5, op.pixel, op.eta, op.threshold)
    )
    name = writer.of(boxes)
    corners = [
        writer.node("Squeeze", [writer.slice(name, 2, i, i + 1), writer.ints([2])])
        for i in range(4)
    ]
    sides = [_length(writer, corners[i + 2], corners[i], pixel) for i in range(2)]
    there = _real(writer, corners)
    area = writer.node("Where", [there, writer.node("Mul", sides), zero])
    count = writer.of(counts)

    def step(
        inner: Writer, states: Sequence[str], parts: Sequence[str]
    ) -> tuple[list[Typed], list[Typed]]:
        largest, found, least = states
        number, box = parts
        mine = inner.node("Gather", [largest, number], axis=1)
        hidden = inner.node("GreaterOrEqual" if op.touching else "Greater", [mine, least])
        kept = inner.node("And", [inner.node("Not", [hidden]), inner.node("Less", [number, count])])
        most = inner.number(op.most or length, DType.I32)
        kept = inner.node("And", [kept, inner.node("Less", [found, most])])
        own = [inner.slice(box, 1, i, i + 1) for i in range(4)]
        common = ""
        for i in range(2):
            low = inner.node("Max", [corners[i], own[i]])
            high = inner.node("Min", [corners[i + 2], own[i + 2]])
            side = inner.node("Max", [_length(inner, high, low, pixel), zero])
            common = inner.node("Mul", [common, side]) if common else side
        own_area = inner.node(
            "Unsqueeze", [inner.node("Gather", [area, number], axis=1), inner.ints([1])]
        )
        union = inner.node("Sub", [inner.node("Add", [area, own_area]), common])
        real = inner.node("Greater", [union, zero])
        overlap = inner.node("Where", [real, inner.node("Div", [common, union]), zero])
        wide = inner.node("Unsqueeze", [kept, inner.ints([1])])
        more = inner.node("Max", [largest, overlap])
        largest = inner.node("Where", [wide, more, largest])
        flag = inner.cast(kept, DType.I32)
        found = inner.node("Add", [found, flag])
        if op.eta < 1.0:
            falls = inner.node("And", [kept, inner.node("Greater", [least, half])])
            least = inner.node("Where", [falls, inner.node("Mul", [least, eta]), least])
        following = [Typed(largest, dtype), Typed(found, DType.I32), Typed(least, dtype)]
        return following, [Typed(flag, DType.I32)]

    states = [
        Typed(writer.filled((rows, length), -1, dtype), dtype),
        Typed(writer.filled((rows,), 0, DType.I32), DType.I32),
        Typed(writer.expand(threshold, (rows,)), dtype),
    ]
    turned = writer.node("Transpose", [name], perm=[1, 0, 2])
    sliced = [Typed(writer.arange(length), DType.I32), Typed(turned, dtype)]
    made = scanned(writer, node.location, states, sliced, step)
    return [writer.node("Transpose", [made[3]], perm=[1, 0]), made[1]]


def _real(writer: Writer, corners: Sequence[str]) -> str:
    """Which boxes end where they begin, or behind that."""
    sides = [writer.node("GreaterOrEqual", [corners[i + 2], corners[i]]) for i in range(2)]
    return writer.node("And", sides)


def _length(writer: Writer, end: str, start: str, pixel: str) -> str:
    return writer.node("Add", [writer.node("Sub", [end, start]), pixel])

"""Rows picked by index, and rows put where an index says."""

from __future__ import annotations

import numpy as np

from ir.graph import Node
from ir.ops.gather import Gather, ScatterAdd, ScatterLast
from ir.size import Size
from ir.types import DType

from ..ranges import first_of_rows, is_inside
from ..registry import expresses
from ..writer import Writer


@expresses(Gather, half=True)
def gather(writer: Writer, node: Node) -> list[str]:
    table, rows = node.inputs
    count = table.shape[0]
    known = writer.array(rows)
    if known is not None and not isinstance(count, Size) and _all_inside(known, count):
        return [writer.node("Gather", [writer.of(table), writer.of(rows)], axis=0)]
    name = writer.of(rows)
    inside = is_inside(writer, name, writer.number(count, DType.I32))
    zero = writer.constant(np.int32(0))
    picked = writer.node(
        "Gather", [writer.of(table), writer.node("Where", [inside, name, zero])], axis=0
    )
    mask = writer.node("Unsqueeze", [inside, writer.ints([1])])
    nothing = writer.constant(table.type.dtype.numpy.type(0))
    return [writer.node("Where", [mask, picked, nothing])]


def _all_inside(rows: np.ndarray, count: int) -> bool:
    return bool(((rows >= 0) & (rows < count)).all())


@expresses(ScatterAdd)
def scatter_add(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, ScatterAdd)
    g, rows = node.inputs
    # What belongs nowhere is added to a row more, which is cut off.
    count = writer.number(op.count, DType.I32)
    name = writer.of(rows)
    place = writer.node("Where", [is_inside(writer, name, count), name, count])
    index = writer.node("Unsqueeze", [writer.whole(place), writer.ints([1])])
    table = writer.filled((op.count + 1, g.shape[1]), 0, g.type.dtype)
    added = writer.node("ScatterND", [table, index, writer.of(g)], reduction="add")
    return [writer.slice(added, 0, 0, op.count)]


@expresses(ScatterLast)
def scatter_last(writer: Writer, node: Node) -> list[str]:
    """Of several elements in one place all but the last go to a column more, which is cut off:
    what ScatterElements makes of two in one place is not said."""
    op = node.op
    assert isinstance(op, ScatterLast)
    g, places, many = node.inputs
    rows, length = g.shape
    name = writer.of(places)
    number, taken = first_of_rows(writer, length, many)
    inside = is_inside(writer, name, writer.number(op.count, DType.I32))
    valid = writer.node("And", [taken, inside])
    beyond, width = writer.scalar(op.count), writer.scalar(length)
    # In the order of places, then of elements: the last of a place stands before another place.
    place = writer.node("Where", [valid, writer.whole(name), beyond])
    key = writer.node("Add", [writer.node("Mul", [place, width]), writer.whole(number)])
    inputs = [key, writer.shape([length])]
    key = writer.node_of("TopK", inputs, 2, axis=1, largest=0, sorted=1)[0]
    place, number = (writer.node(kind, [key, width]) for kind in ("Div", "Mod"))
    following = writer.slice(place, 1, 1, None)
    end = writer.expand(writer.ints([-1]), (rows, 1))
    following = writer.node("Concat", [following, end], axis=1)
    hidden = writer.node("Equal", [place, following])
    place = writer.node("Where", [hidden, beyond, place])
    values = writer.node("GatherElements", [writer.of(g), number], axis=1)
    table = writer.filled((rows, op.count + 1), 0, g.type.dtype)
    made = writer.node("ScatterElements", [table, place, values], axis=1)
    return [writer.slice(made, 1, 0, op.count)]

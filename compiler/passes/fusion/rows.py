"""Groups of the row schedule: reductions over the channels and what needs their results.

Such a kernel holds the row, or reads it again from the cache, so that a reduction may depend
on another one of its kernel, and results may have the shape of the rows. Only channels
are rows: their number is a constant, so that the group does not depend on the batch or image.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Protocol

from ir.graph import Node, Value
from ir.op import Property, channel_axis
from ir.size import Size

from .inline import Inlining
from .patterns import OpPattern

LONGEST = 8192  # channels; longer rows are better split over programs


class KnownNodes(Protocol):
    """What is known of a graph's nodes while they are grouped: see :mod:`.groups`."""

    nodes: Sequence[Node]
    patterns: list[OpPattern]
    producers: dict[Value, int]
    inlining: Inlining
    loads: list[dict[Value, bool]]


def row_shape(grouping: KnownNodes, members: Sequence[int]) -> tuple[int, ...] | None:
    """The shape of the rows that a group reduces, if it reduces channels."""
    shapes = set()
    for m in members:
        if grouping.patterns[m] is OpPattern.FLAT:
            continue
        node = grouping.nodes[m]
        if grouping.patterns[m] is not OpPattern.REDUCE or not _over_channels(node):
            return None
        shapes.add(node.inputs[0].shape)
    shape = shapes.pop() if len(shapes) == 1 else ()
    axis = channel_axis(len(shape))
    if axis is None or isinstance(shape[axis], Size):
        return None
    return shape if 1 < shape[axis] <= LONGEST else None


def _over_channels(node: Node) -> bool:
    return node.op.reduced_axes == (node.op.channel_axis(node.outputs[0].type.rank),)


def in_row(grouping: KnownNodes, i: int, made: Set[Value], row: tuple[int, ...]) -> bool:
    """Whether a kernel of such rows that makes ``made`` can compute node ``i``."""
    node = grouping.nodes[i]
    if grouping.patterns[i] is OpPattern.REDUCE:
        same = node.inputs[0].shape == row
        return same and _over_channels(node) and _reads_in_row(grouping, node, made, row)
    return (
        grouping.patterns[i] is OpPattern.FLAT
        and _is_row(node, row)
        and _reads_in_row(grouping, node, made, row)
    )


def _is_row(node: Node, row: tuple[int, ...]) -> bool:
    """Whether a node is pointwise on rows, or on one element per row."""
    shape = node.outputs[0].shape
    pointwise = bool(node.op.properties & Property.POINTWISE)
    axis = channel_axis(len(row))
    reduced = tuple(1 if i == axis else d for i, d in enumerate(row))
    return pointwise and len(node.outputs) == 1 and shape in (row, reduced)


def _reads_in_row(grouping: KnownNodes, node: Node, made: Set[Value], row: tuple[int, ...]) -> bool:
    """Whether all that a node reads of ``made``, itself or through what is inlined into it, lies
    in its own row."""
    stack, seen = [node], {node}
    while stack:
        for value in stack.pop().inputs:
            work = grouping.inlining.inlined.get(value)
            if value in made or work is None or not made & work.loads.keys():
                continue
            producer = grouping.nodes[grouping.producers[value]]
            if not _is_row(producer, row):
                return False
            if producer not in seen:
                seen.add(producer)
                stack.append(producer)
    return True


def schedule_of(grouping: KnownNodes, members: Sequence[int], pattern: OpPattern) -> str:
    """The schedule of a group: its anchor's, or ``row``."""
    if pattern is not OpPattern.REDUCE:
        return pattern.value
    made = {v for m in members for v in grouping.nodes[m].outputs}
    row = row_shape(grouping, members)
    for m in members:
        node = grouping.nodes[m]
        if grouping.patterns[m] is OpPattern.REDUCE:
            if made & grouping.loads[m].keys():
                return "row"
        elif row is not None and node.outputs[0].shape == row:
            return "row"
    return pattern.value

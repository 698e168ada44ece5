"""What moves elements: other shapes, transposed, cut, padded, put behind each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Node
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose

from ..rule import Constants, seen_rule
from ..seen import Seen, all_seen, seen_most, seen_moved, seen_together
from ..traced_axis import (
    TracedAxis,
    TracedFactor,
    joined_axes,
    reshaped_axes,
    tail_of,
    uneven_steps,
)


@seen_rule(Reshape)
def see_reshaped(op: Reshape, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    axes = reshaped_axes(operands[0].axes, node.outputs[0].shape)
    if axes is None:
        return all_seen(operands, node.outputs[0].shape)
    return replace(operands[0], axes=axes)


@seen_rule(Transpose)
def see_transposed(op: Transpose, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    return replace(operands[0], axes=tuple(operands[0].axes[i] for i in op.order))


@seen_rule(Slice)
def see_cut(op: Slice, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    return seen_moved(operands[0], op.axis, node.outputs[0].shape[op.axis], op.start)


@seen_rule(Pad)
def see_padded(op: Pad, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    seen = operands[0]
    sides = zip(node.outputs[0].shape, op.low, op.high, strict=True)
    for i, (out, low, high) in enumerate(sides):
        if low or high:
            seen = seen_moved(seen, i, out, -low)
    return seen


@seen_rule(Concat)
def see_joined(op: Concat, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    dependent = [each for each in operands if each.depends]
    axes: list[TracedAxis] = []
    for i, d in enumerate(node.outputs[0].shape):
        here = [each.axes[i] for each in dependent]
        if i == op.axis:
            axes.append(_behind_each_other(here, [v.shape[i] for v in node.inputs], d))
            continue
        found: TracedAxis = (TracedFactor(d),)
        for axis in here:
            found = joined_axes(found, axis)
        axes.append(found)
    # An element of the result is one of an operand's. But who reads it reads all channels.
    channels = not uneven_steps(axes[op.axis])
    return (seen_together if channels else seen_most)(dependent, tuple(axes))


def _behind_each_other(axes: Sequence[TracedAxis], extents: Sequence[int], d: int) -> TracedAxis:
    """One axis after the other: even steps inside of each, none from one to the next."""
    steps = uneven_steps(*axes)
    inner = math.gcd(*extents, *map(tail_of, axes)) if steps else 0
    if inner <= 1:
        return (TracedFactor(d, steps),)
    return TracedFactor(d // inner, steps), TracedFactor(inner)

"""Receptive fields: how much of the net's input an element of a value depends on.

Found from the IR, so that layers of all forks have one: windows make it larger, strides make the
steps wider, products and sums over whole axes make it the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ir.graph import Graph, Node, Role, Value
from ir.interpret import run_node
from ir.op import Property
from runtime.layer_counts import ReceptiveField

from . import rules as rules  # which register themselves
from .rule import Constants, seen_rule_of
from .seen import Seen, all_seen, seen_by_element, seen_folded
from .traced_axis import TracedAxis, TracedFactor, extent_of

_MOST_KNOWN = 1 << 24
"""Elements of all constants that are looked into."""


def receptive_fields(graph: Graph) -> dict[Value, ReceptiveField]:
    """Of every value that depends on an image that the net is given.

    An image is an input with axes behind batch and channels. Padding counts, as does what lies
    beyond the image. Of several inputs the one that is seen most of counts. Where branches meet,
    it is the region that covers what each of them sees: the largest branch's, where all have the
    same centre. Where data tells what is looked at (a region of interest), it is all; what data
    puts somewhere counts where it has its gradient from. The graph's types must be numbers.
    """
    repeats = any(node.op.properties & Property.REPEATED for node in graph.nodes)
    axes = 4 if repeats else 3  # (steps, batch, features) is no image
    seen: dict[Value, Seen] = {}
    for port in graph.inputs:
        image = port.role is Role.DATA and port.value.type.rank >= axes
        seen[port.value] = _fed(port.value.shape, image)
    known: dict[Value, np.ndarray] = {}
    left = _MOST_KNOWN
    for node in graph.nodes:
        operands = [seen[value] for value in node.inputs]
        if any(each.depends for each in operands):
            results = _results(node, operands, known)
        else:
            results = [_fed(value.shape, False) for value in node.outputs]
            left -= _evaluate(node, known, left)
        seen.update(zip(node.outputs, results, strict=True))
    return {value: _field(each) for value, each in seen.items() if each.depends}


def _results(node: Node, operands: Sequence[Seen], known: Constants) -> list[Seen]:
    """Of a node with an operand that sees some of the input."""
    op = node.op
    if (rule := seen_rule_of(op)) is not None:
        return [rule(op, node, operands, known)] * len(node.outputs)
    if op.properties & Property.POINTWISE:
        return [seen_by_element(node.outputs[0].shape, operands)] * len(node.outputs)
    if op.reduced_axes:
        one = seen_folded(operands[0], op.reduced_axes)
        return [one.shaped(value.shape) for value in node.outputs]
    dependent = [each for each in operands if each.depends]
    if op.properties & Property.MOVEMENT and len(dependent) == 1:
        shape = tuple(map(extent_of, dependent[0].axes))
        if all(value.shape == shape for value in node.outputs):
            return dependent * len(node.outputs)
    return [all_seen(operands, value.shape) for value in node.outputs]


def _fed(shape: Sequence[int], image: bool) -> Seen:
    first = 2 if image and any(d > 1 for d in shape[2:]) else len(shape)
    axes: list[TracedAxis] = [(TracedFactor(d),) for d in shape[:first]]
    axes += [(TracedFactor(shape[i], {i: Fraction(1)}),) for i in range(first, len(shape))]
    spans = {i: (Fraction(0), Fraction(1)) for i in range(first, len(shape))}
    return Seen(tuple(axes), spans)


def _field(seen: Seen) -> ReceptiveField:
    sizes: list[int | None] = []
    for axis in sorted(seen.everything()):
        if axis in seen.whole:
            sizes.append(None)
        else:
            begin, end = seen.spans[axis]
            sizes.append(math.ceil(end - begin))
    return ReceptiveField(tuple(sizes))


def _evaluate(node: Node, known: dict[Value, np.ndarray], left: int) -> int:
    """Remember what a node makes of numbers that are known: weights of an interpolation.

    Returns how many elements it made.
    """
    size = sum(value.type.size for value in node.outputs)
    apart = Property.HOST | Property.EFFECT | Property.DYNAMIC | Property.REPEATED
    if node.op.properties & apart or size > left or any(v not in known for v in node.inputs):
        return 0
    made = run_node(node, [known[value] for value in node.inputs])
    known.update(zip(node.outputs, made, strict=True))
    return size

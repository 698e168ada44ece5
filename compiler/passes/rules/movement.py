"""What simplify does with ops that only move elements."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from ir.graph import Node
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.ops.pointwise import Map
from ir.size import Real, always_at_least

from ..maps import literal_of
from ..rewrite import Context, Rewrite, simplifies


@simplifies(Reshape, Transpose, Slice, Concat, Pad)
def move_literal(node: Node, context: Context) -> Rewrite | None:
    """A fill that is moved is a fill: ``reshape(map() {0.5})`` -> ``map() {0.5} shape=...``."""
    literal = literal_of(node.inputs[0], context)
    if literal is None:
        return None
    if isinstance(node.op, Pad) and (
        isinstance(literal.value, Real) or node.op.value != literal.value
    ):
        return None
    if any(literal_of(v, context) is not literal for v in node.inputs[1:]):
        return None
    return Rewrite((replace(node, op=Map((literal,), node.outputs[0].shape), inputs=()),))


@simplifies(Reshape)
def merge_reshape(node: Node, context: Context) -> Rewrite | None:
    """``reshape(reshape(x))`` -> ``reshape(x)``; a reshape to the same shape goes."""
    (x,), y = node.inputs, node.outputs[0]
    if x.shape == y.shape:
        return Rewrite((), {y: x})
    if isinstance(context.producer(x), Reshape):
        return Rewrite((replace(node, inputs=context.producers[x].inputs),))
    return None


@simplifies(Transpose)
def merge_transpose(node: Node, context: Context) -> Rewrite | None:
    """``transpose(transpose(x))`` -> one transpose, or none if they undo each other."""
    op = node.op
    assert isinstance(op, Transpose)
    (x,) = node.inputs
    if op.order == tuple(range(len(op.order))):
        return Rewrite((), {node.output: x})
    inner = context.producer(x)
    if isinstance(inner, Transpose):
        order = tuple(inner.order[i] for i in op.order)
        return Rewrite((replace(node, op=Transpose(order), inputs=context.producers[x].inputs),))
    return None


@simplifies(Slice)
def merge_slice(node: Node, context: Context) -> Rewrite | None:
    """Slices of everything go; of slices merge; of a concat read the piece they lie in.

    Before: ``%c = concat(%a, %b) axis=1; %s = slice(%c) axis=1 start=3 stop=5`` (a: f32[2,3])
    After: ``%s = slice(%b) axis=1 start=0 stop=2``, or %b itself if that is all of it.
    """
    op = node.op
    assert isinstance(op, Slice)
    (x,) = node.inputs
    if op.start == 0 and op.stop == x.shape[op.axis]:
        return Rewrite((), {node.output: x})
    inner = context.producer(x)
    if isinstance(inner, Slice) and inner.axis == op.axis:
        merged = Slice(op.axis, inner.start + op.start, inner.start + op.stop)
        return Rewrite((replace(node, op=merged, inputs=context.producers[x].inputs),))
    if isinstance(inner, Concat) and inner.axis == op.axis:
        begin = 0
        for piece in context.producers[x].inputs:
            end = begin + piece.shape[op.axis]
            inside = always_at_least(op.start, begin) and always_at_least(end, op.stop)
            if inside and op.start < op.stop:
                part = Slice(op.axis, op.start - begin, op.stop - begin)
                return Rewrite((replace(node, op=part, inputs=(piece,)),))
            begin = end
    return None


@simplifies(Concat)
def merge_concat(node: Node, context: Context) -> Rewrite | None:
    """A concat of one thing goes, and one of neighbouring slices of one value is a slice of it.

    Before: ``%a = slice(%x) axis=0 start=0 stop=2; %b = slice(%x) axis=0 start=2 stop=5``,
    ``%c = concat(%a, %b) axis=0``. After: ``%c = slice(%x) axis=0 start=0 stop=5``.
    """
    op = node.op
    assert isinstance(op, Concat)
    if len(node.inputs) == 1:
        return Rewrite((), {node.output: node.inputs[0]})
    slices: list[Slice] = []
    for value in node.inputs:
        part = context.producer(value)
        if not isinstance(part, Slice) or part.axis != op.axis:
            return None
        slices.append(part)
    sources = {context.producers[v].inputs[0] for v in node.inputs}
    if len(sources) > 1 or any(a.stop != b.start for a, b in pairwise(slices)):
        return None
    whole = Slice(op.axis, slices[0].start, slices[-1].stop)
    return Rewrite((replace(node, op=whole, inputs=(sources.pop(),)),))


@simplifies(Pad)
def drop_pad(node: Node, context: Context) -> Rewrite | None:
    """A pad by nothing goes."""
    op = node.op
    assert isinstance(op, Pad)
    return None if any(op.low) or any(op.high) else Rewrite((), {node.output: node.inputs[0]})

"""What simplify does with ops that only move elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ir.expr import Expr, arg, const
from ir.graph import Node, Value
from ir.ops.matmul import MatMul
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.ops.pointwise import Map

from .map_rules import literal_of
from .rewrite import Context, Rewrite


def move_literal(node: Node, context: Context) -> Rewrite | None:
    """A fill that is moved is a fill: ``reshape(map() {0.5})`` -> ``map() {0.5} shape=...``."""
    literal = literal_of(node.inputs[0], context)
    if literal is None:
        return None
    if isinstance(node.op, Pad) and node.op.value != literal.value:
        return None
    if any(literal_of(v, context) is not literal for v in node.inputs[1:]):
        return None
    return Rewrite((replace(node, op=Map((literal,), node.outputs[0].shape), inputs=()),))


def merge_reshape(node: Node, context: Context) -> Rewrite | None:
    """``reshape(reshape(x))`` -> ``reshape(x)``; a reshape to the same shape goes."""
    (x,), y = node.inputs, node.outputs[0]
    if x.shape == y.shape:
        return Rewrite((), {y: x})
    if isinstance(context.producer(x), Reshape):
        return Rewrite((replace(node, inputs=context.producers[x].inputs),))
    return None


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
            if begin <= op.start and op.stop <= end and op.start < op.stop:
                part = Slice(op.axis, op.start - begin, op.stop - begin)
                return Rewrite((replace(node, op=part, inputs=(piece,)),))
            begin = end
    return None


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


def join_pads(node: Node, context: Context) -> Rewrite | None:
    """A sum of pieces padded to their places, none over another, is a concat of the pieces.

    The gradient of slicing. Before: ``%p = pad(%a) low=(0,0) high=(3,0)``, ``%q = pad(%b)
    low=(2,0) high=(0,0)`` (a: f32[2,4], b: f32[3,4]), ``%s = map(%p, %q) {add(a0, a1)}``. After:
    ``%s = concat(%a, %b) axis=0``. Gaps are filled with zeros; other terms stay a sum.
    """
    op = node.op
    assert isinstance(op, Map)
    terms = _terms(op.exprs[0]) if len(op.exprs) == 1 else None
    if terms is None or len(terms) < 2:
        return None
    pieces: dict[int, list[tuple[int, Value]]] = {}  # axis -> (start, piece)
    for i in terms:
        made = context.producer(node.inputs[i])
        axis = _padded_axis(made) if isinstance(made, Pad) else None
        if axis is not None and node.inputs[i].shape == node.output.shape:
            assert isinstance(made, Pad)
            piece = context.producers[node.inputs[i]].inputs[0]
            pieces.setdefault(axis, []).append((made.low[axis], piece))
    axis, found = max(pieces.items(), key=lambda p: len(p[1]), default=(0, []))
    found.sort(key=lambda p: p[0])
    if len(found) < 2 or any(a + x.shape[axis] > b for (a, x), (b, _) in pairwise(found)):
        return None
    joined = {x for _, x in found}
    rest = [
        node.inputs[i]
        for i in terms
        if (n := context.producers.get(node.inputs[i])) is None
        or n.inputs[:1] != n.inputs
        or n.inputs[0] not in joined
        or not isinstance(n.op, Pad)
        or _padded_axis(n.op) != axis
    ]
    if len(rest) + len(found) != len(terms):
        return None  # one piece stands in two places
    return Rewrite(tuple(_concat_nodes(node, context, axis, found, rest)))


def _terms(root: Expr) -> list[int] | None:
    """The inputs a plain sum adds, each once; None for any other expression."""
    found: dict[int, None] = {}
    stack = [root]
    while stack:
        term = stack.pop()
        if term.op == "add" and term.dtype.is_float:
            stack.extend(reversed(term.args))
        elif term.op != "arg" or int(term.value or 0) in found:
            return None
        else:
            found[int(term.value or 0)] = None
    return list(found)


def _padded_axis(op: Pad) -> int | None:
    """The only axis along which a pad adds zeros, if it is one."""
    axes = [i for i, (lo, hi) in enumerate(zip(op.low, op.high, strict=True)) if lo or hi]
    if len(axes) != 1 or op.value != 0.0 or op.low[axes[0]] < 0 or op.high[axes[0]] < 0:
        return None
    return axes[0]


def _concat_nodes(
    node: Node, context: Context, axis: int, found: list[tuple[int, Value]], rest: list[Value]
) -> Iterator[Node]:
    shape = node.output.shape
    parts: list[Value] = []
    end = 0
    for start, piece in [*found, (shape[axis], None)]:
        if start > end:
            hole = (*shape[:axis], start - end, *shape[axis + 1 :])
            type = replace(node.output.type, shape=hole)
            zeros = context.fresh(f"{node.output.name}.zeros", type)
            yield replace(node, op=Map((const(0.0),), hole), inputs=(), outputs=(zeros,))
            parts.append(zeros)
        if piece is not None:
            parts.append(piece)
            end = start + piece.shape[axis]
    if not rest:
        yield replace(node, op=Concat(axis), inputs=tuple(parts))
        return
    whole = context.fresh(f"{node.output.name}.concat", node.output.type)
    yield replace(node, op=Concat(axis), inputs=tuple(parts), outputs=(whole,))
    total = arg(0)
    for i in range(len(rest)):
        total = total + arg(i + 1)
    yield replace(node, op=Map((total,), node.output.shape), inputs=(whole, *rest))


def drop_pad(node: Node, context: Context) -> Rewrite | None:
    """A pad by nothing goes."""
    op = node.op
    assert isinstance(op, Pad)
    return None if any(op.low) or any(op.high) else Rewrite((), {node.output: node.inputs[0]})


def absorb_transpose(node: Node, context: Context) -> Rewrite | None:
    """``matmul(transpose(a), b)`` -> ``matmul(a, b) transpose_a=true`` for the last two axes."""
    op = node.op
    assert isinstance(op, MatMul)
    flags = [op.transpose_a, op.transpose_b]
    inputs = list(node.inputs)
    for i, value in enumerate(node.inputs):
        made = context.producer(value)
        rank = value.type.rank
        swap = (*range(rank - 2), rank - 1, rank - 2)
        if isinstance(made, Transpose) and made.order == swap:
            flags[i] = not flags[i]
            inputs[i] = context.producers[value].inputs[0]
    if tuple(inputs) == node.inputs:
        return None
    return Rewrite((replace(node, op=MatMul(*flags), inputs=tuple(inputs)),))

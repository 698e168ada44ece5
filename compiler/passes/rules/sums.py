"""What simplify does with sums of padded pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ir.expr import Expr, arg, const
from ir.graph import Node, Value
from ir.ops.movement import Concat, Pad
from ir.ops.pointwise import Map
from ir.size import always_at_least

from ..rewrite import Context, Rewrite, simplifies


@simplifies(Map)
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
    if len(found) < 2 or not _in_places(found, axis, node.output.shape[axis]):
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
    if len(axes) != 1 or op.value != 0.0:
        return None
    (axis,) = axes
    adds = always_at_least(op.low[axis], 0) and always_at_least(op.high[axis], 0)
    return axis if adds else None


def _in_places(found: Sequence[tuple[int, Value]], axis: int, extent: int) -> bool:
    """Whether no piece is over another, and where there is a gap there is one at all sizes."""
    starts = [*(start for start, _ in found), extent]
    ends = [0, *(start + piece.shape[axis] for start, piece in found)]
    pairs = zip(starts, ends, strict=True)
    return all(start == end or always_at_least(start, end + 1) for start, end in pairs)


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

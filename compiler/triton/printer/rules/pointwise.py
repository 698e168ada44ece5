"""Emission of pointwise ops: expressions over operands that are broadcast."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.pointwise import Map

from ..emitter import UNIT, Access, Emission, Emitter, rule
from ..index import linearize
from ..spelling import SPELLING, literal

_LONGEST = 60  # characters of an expression that may stand inside another


@rule(Map)
def emit_map(emitter: Emitter, node: Node, number: int, at: Access) -> Emission:
    assert isinstance(node.op, Map)
    root = node.op.exprs[number]
    writer = emitter.writer
    operands = {}
    for i in e.arguments(root):
        operands[i] = yield node.inputs[i], _broadcast(emitter, node, i, at)
    writer.place(node.location)
    uses: dict[Expr, int] = {}
    for item in e.walk(root):
        for child in item.args:
            uses[child] = uses.get(child, 0) + 1
    done: dict[Expr, str] = {}
    for item in e.walk(root):
        if item.op == "dyn" and item is not root:
            continue  # an argument of its own for every use
        if not item.args:
            done[item] = _leaf(emitter, node, item, at, operands)
            continue
        parts = [
            _amount(emitter, node, item, i) if a.op == "dyn" else done[a]
            for i, a in enumerate(item.args)
        ]
        text = SPELLING[item.op](writer, item, parts)
        shared = uses.get(item, 0) > 1 or len(text) > _LONGEST
        done[item] = writer.let(text, "v") if shared and item is not root else text
    text = done[root]
    return (
        text
        if root.op in ("arg", "const")
        else writer.let(_unwrapped(text), "v", node.outputs[number].name)
    )


def _broadcast(emitter: Emitter, node: Node, i: int, at: Access) -> Access:
    """Where operand ``i`` is read.

    An operand of the result's shape is read at the place itself; any other stays at 0 along
    the axes where its extent is 1. In a batch of 1 the leading extents say nothing: there an
    operand has the result's shape, and moves with the batch, if it would in a larger one.
    """
    operand, result = node.inputs[i], node.outputs[0]
    shape, full = operand.shape, result.shape
    follows = operand in emitter.batched
    if shape == full and (shape[:1] != (1,) or follows == (result in emitter.batched)):
        return at
    pairs = [
        (c, x) if d != 1 or (axis == 0 and follows and full[0] == 1) else UNIT
        for axis, (d, c, x) in enumerate(zip(shape, at.coordinates, at.extents, strict=True))
    ]
    return Access(tuple(c for c, _ in pairs), tuple(x for _, x in pairs), at.guard)


def _leaf(emitter: Emitter, node: Node, item: Expr, at: Access, operands: dict[int, str]) -> str:
    writer = emitter.writer
    if item.op == "arg":
        assert item.value is not None
        return operands[int(item.value)]
    if item.op == "const":
        assert item.value is not None
        return literal(item.value, item.dtype)
    if item.op == "dyn":  # the whole expression; see _amount
        assert item.value is not None
        return writer.number((node.outputs[0], item), item.value, item.dtype)
    if item.op == "index":
        assert item.value is not None
        index = at.coordinates[int(item.value)]
    else:
        index = linearize(at.coordinates, at.extents)
    text = writer.index(index)
    return f"tl.cast({text}, tl.int32)" if writer.wide and index.terms else text


def _amount(emitter: Emitter, node: Node, parent: Expr, position: int) -> str:
    """A number that follows from a shape: one argument for each place where it stands.

    The height and the width of a square image are one expression, but two arguments: the next
    image may not be square.
    """
    item = parent.args[position]
    assert item.value is not None
    key = (node.outputs[0], parent, position)
    return emitter.writer.number(key, item.value, item.dtype)


def _unwrapped(text: str) -> str:
    """Without the parentheses around the whole expression."""
    if not text.startswith("("):
        return text
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if i == len(text) - 1 else text
    return text

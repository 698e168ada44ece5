"""Emission of pointwise ops: expressions over operands that are broadcast."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.pointwise import Map
from ir.types import F32

from ..emitter import Access, Emission, Emitter, rule
from ..expressions import as_i32, computed
from ..index import ZERO, linearize
from ..monomial import ONE

CASTS = ("to_float", "to_f16", "to_bf16")

LARGEST = 12  # nodes of an expression that may stand inside another


@rule(Map)
def emit_map(emitter: Emitter, node: Node, op: Map, number: int, at: Access) -> Emission:
    root = op.exprs[number]
    builder = emitter.builder
    operands = {}
    for i in e.arguments(root):
        operands[i] = yield node.inputs[i], _broadcast(node, i, at)
    builder.place(node.location)
    uses: dict[Expr, int] = {}
    for item in e.walk(root):
        for child in item.args:
            uses[child] = uses.get(child, 0) + 1
    done: dict[Expr, Expr] = {}
    sizes: dict[Expr, int] = {}
    for item in e.walk(root):
        if item.op == "dyn" and item is not root:
            continue  # an argument of its own for every use
        if not item.args:
            done[item] = _leaf(emitter, node, item, at, operands)
            sizes[item] = 1
            continue
        parts = tuple(
            _amount(emitter, node, item, i) if a.op == "dyn" else done[a]
            for i, a in enumerate(item.args)
        )
        if item.dtype.is_narrow and item.args[0].dtype is F32 and item.op in CASTS:
            done[item], sizes[item] = emitter.rounded(parts[0], item.dtype), 1
            continue
        if item.op == "to_float" and item.args[0].dtype.is_narrow:
            done[item], sizes[item] = parts[0], 1
            continue
        written = e.node(item.op, parts, item.value, computed(item.dtype))
        sizes[item] = 1 + sum(sizes.get(a, 1) for a in item.args)
        if item is not root and (uses.get(item, 0) > 1 or sizes[item] > LARGEST):
            written, sizes[item] = builder.let(written, "v"), 1
        done[item] = written
    if root.op in ("arg", "const") or (root.op in CASTS and done[root].op in ("ref", "const")):
        return done[root]
    return builder.let(done[root], "v", node.outputs[number].name)


def _broadcast(node: Node, i: int, at: Access) -> Access:
    """Where operand ``i`` is read: at 0 along axes of extent 1."""
    shape = node.inputs[i].shape
    if shape != node.outputs[0].shape:
        for axis, extent in enumerate(shape):
            if extent == 1:
                at = at.moved(axis, ZERO, ONE)
    return at


def _leaf(emitter: Emitter, node: Node, item: Expr, at: Access, operands: dict[int, Expr]) -> Expr:
    if item.op == "arg":
        return operands[int(item.value)]
    if item.op == "const":
        return e.const(item.value, F32) if item.dtype.is_narrow else item
    if item.op == "dyn":  # the whole expression; see _amount
        return emitter.builder.scalar((node.outputs[0], item), item.value, item.dtype)
    if item.op == "index":
        index = at.coordinates[int(item.value)]
    else:
        index = linearize(at.coordinates, at.extents)
    return as_i32(emitter.builder.index(index))


def _amount(emitter: Emitter, node: Node, parent: Expr, position: int) -> Expr:
    """A number that follows from a shape: one argument for each place where it stands.

    The height and the width of a square image are one expression, but two arguments: the next
    image may not be square.
    """
    item = parent.args[position]
    key = (node.outputs[0], parent, position)
    return emitter.builder.scalar(key, item.value, item.dtype)

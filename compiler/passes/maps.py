"""Maps as passes make and look at them: canonical, with what is literal computed."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import substitute
from ir.expr_numpy import evaluate
from ir.graph import Node, Value
from ir.ops.pointwise import Map, broadcast_shape
from ir.size import Real, Size, value_of
from ir.types import BOOL

from .rewrite import Context

_NEVER_FOLDED = ("rand", "stop", "grad_as")


def is_literal(expr: Expr) -> bool:
    return expr.op in ("const", "dyn")


def literal_of(value: Value, context: Context) -> Expr | None:
    """The literal that all elements of ``value`` are, if it is such a fill."""
    expr, _ = definition(value, context)
    return expr if expr is not None and is_literal(expr) else None


def definition(value: Value, context: Context) -> tuple[Expr | None, Node | None]:
    """The expression that a value is, and the map that computes it; None if another op does."""
    node = context.producers.get(value)
    if node is None or not isinstance(node.op, Map):
        return None, None
    return node.op.exprs[node.outputs.index(value)], node


def make_map(exprs: Sequence[Expr], inputs: Sequence[Value], shape: tuple[int, ...]) -> Map:
    """A map in canonical form: its shape is stated only if the inputs do not give it."""
    given = bool(inputs) and broadcast_shape([v.shape for v in inputs]) == shape
    return Map(tuple(exprs), None if given else shape)


def map_of(exprs: Sequence[Expr], outputs: Sequence[Value], like: Node) -> Node:
    """A map node of some results of the map ``like``, with only the inputs that they read."""
    used = e.arguments(*exprs)
    renumbered = {old: e.arg(new, leaf.dtype) for new, (old, leaf) in enumerate(used.items())}
    inputs = tuple(like.inputs[i] for i in used)
    op = make_map([substitute(x, renumbered) for x in exprs], inputs, outputs[0].shape)
    return replace(like, op=op, inputs=inputs, outputs=tuple(outputs))


@functools.lru_cache(4096)
def fold_literals(root: Expr) -> Expr:
    """``root`` with primitives of literals computed, in double precision.

    A number that follows from a shape (``dyn``) makes the result one that does.
    """
    done: dict[Expr, Expr] = {}
    for node in e.walk(root):
        if not node.args:
            done[node] = node
            continue
        args = tuple(done[a] for a in node.args)
        made = node if args == node.args else e.primitive(node.op, *args)
        done[node] = _folded(made)
    return done[root]


def _folded(node: Expr) -> Expr:
    if node.op == "where" and node.args[0].op == "const":
        return node.args[1] if node.args[0].value else node.args[2]
    if not node.args or node.op in _NEVER_FOLDED or not all(map(is_literal, node.args)):
        return node
    shaped = any(a.op == "dyn" for a in node.args)
    if shaped and node.dtype is BOOL:
        return node
    if any(isinstance(a.value, Size | Real) for a in node.args):
        return _folded_sizes(node)
    (array,) = evaluate([node], (), (), np.dtype(np.float64))
    value = array.item()
    if isinstance(value, float) and not math.isfinite(value):
        return node
    return e.dyn(value, node.dtype) if shaped else e.const(value, node.dtype)


def _folded_sizes(node: Expr) -> Expr:
    """Of numbers that change with the sizes: arithmetic stays one that does; other ops are left."""
    values = [a.value for a in node.args]
    if node.op == "neg":
        values.insert(0, 0)
    symbol = {"add": "+", "sub": "-", "neg": "-", "mul": "*", "div": "/"}.get(node.op)
    if symbol is None or not node.dtype.is_float or (symbol == "/" and not value_of(values[1])):
        return node
    return e.dyn(Real(symbol, *values), node.dtype)

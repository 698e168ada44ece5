"""Backward reads a layer's result where that says as much as its operand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import rebuild, substitute
from ir.graph import Direction, Graph, Node, Value
from ir.ops.pointwise import Map

from .context import UNBOUNDED, PassContext
from .maps import make_map


def reuse_results(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Rewrite backward maps so that the operand of an activation need not be kept.

    Before::

        %y: f32[8,16] = map(%x) {max(a0, 0.0)}
      backward:
        %d_x: f32[8,16] = map(%x, %d_y) {where(gt(a0, 0.0), a1, 0.0)}

    After (%y is stored for the next layer anyway)::

        %d_x: f32[8,16] = map(%y, %d_y) {where(gt(a0, 0.0), a1, 0.0)}

    Likewise wherever all that backward computes from x goes through f(x), as for sigmoid and tanh.
    """
    rewritten: dict[Node, Node] = {}
    users = graph.users()
    kept = {p.value for p in graph.outputs}
    for node in graph.nodes:
        x = _activation_operand(node)
        if x is None or x in kept or x not in graph.producers:
            continue
        readers = [n for n in users[x] if n.direction is Direction.BACKWARD]
        current = [rewritten.get(n, n) for n in readers]
        replaced = _all_through(current, x, node)
        if replaced and context.fuel.take("reuse_results: backward reads {}", node):
            rewritten.update(zip(readers, replaced, strict=True))
    if not rewritten:
        return graph
    return replace(graph, nodes=tuple(rewritten.get(n, n) for n in graph.nodes))


def _activation_operand(node: Node) -> Value | None:
    if not isinstance(node.op, Map) or node.direction is not Direction.FORWARD:
        return None
    if len(node.inputs) != 1 or len(node.outputs) != 1:
        return None
    (x,) = node.inputs
    return x if x.type == node.outputs[0].type else None


def _all_through(readers: Sequence[Node], x: Value, activation: Node) -> list[Node] | None:
    done: list[Node] = []
    for reader in readers:
        node = _through(reader, x, activation)
        if node is None:
            return None
        done.append(node)
    return done


def _through(reader: Node, x: Value, activation: Node) -> Node | None:
    """``reader`` reading the activation's result instead of ``x``; None if it needs x itself."""
    assert isinstance(activation.op, Map)
    if not isinstance(reader.op, Map) or reader.inputs.count(x) != 1:
        return None
    place = reader.inputs.index(x)
    old = e.arg(place, x.type.dtype)
    # Past the last input: no expression reads it yet.
    new = e.arg(len(reader.inputs), x.type.dtype)
    function = substitute(activation.op.exprs[0], {0: old})
    exchange = {function: new}
    if _keeps_sign(function, old):
        exchange |= {e.binary(test, old, 0.0): e.binary(test, new, 0.0) for test in ("gt", "le")}
    exprs = [rebuild(root, exchange) for root in reader.op.exprs]
    if place in e.arguments(*exprs):
        return None
    y = activation.outputs[0]
    exprs = [substitute(root, {len(reader.inputs): old}) for root in exprs]
    inputs = (*reader.inputs[:place], y, *reader.inputs[place + 1 :])
    return replace(reader, op=make_map(exprs, inputs, reader.outputs[0].shape), inputs=inputs)


def _keeps_sign(function: Expr, x: Expr) -> bool:
    """Whether f(x) > 0 exactly where x > 0: max(x, 0), and x or x times a slope of at least 0."""
    if function is e.maximum(x, 0.0):
        return True
    if function.op != "where" or function.args[:2] != (x > 0.0, x):
        return False
    slope = [a for a in function.args[2].args if a is not x]
    return (
        function.args[2].op == "mul"
        and len(slope) == 1
        and slope[0].op == "const"
        and float(slope[0].value or 0.0) >= 0.0
    )

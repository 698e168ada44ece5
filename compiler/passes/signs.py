"""Of what backward asks only on which side of a number it is, that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import rebuild
from ir.graph import Direction, Graph, Node, Value
from ir.op import Property
from ir.ops.pointwise import Map
from ir.types import BOOL

from .context import PassContext
from .rewrite import PINNED, Context


def keep_signs(graph: Graph, context: PassContext) -> Graph:
    """Keep a byte of each element that backward only compares, not the element.

    Before::

        %y: f32[8,16,9,9] = map(%x, %b) {max(add(a0, a1), 0.0)}
        ...
        %d_x: f32[8,16,9,9] = map(%y, %d_y) {where(gt(a0, 0.0), a1, 0.0)}

    After::

        %y: f32[8,16,9,9] = map(%x, %b) {max(add(a0, a1), 0.0)}
        %y.sign: bool[8,16,9,9] = map(%y) {gt(a0, 0.0)}
        ...
        %d_x: f32[8,16,9,9] = map(%y.sign, %d_y) {where(a0, a1, 0.0)}

    What maps make of one tensor that backward reads anyway is left as it is: there is no need to
    keep it.
    """
    found = dict(_Compared(graph).found())
    wanted = {
        value: condition
        for value, condition in found.items()
        if context.fuel.take("recompute: kept the sign of {}", graph.producers[value])
    }
    return _with_signs(graph, wanted) if wanted else graph


class _Compared:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._producers = graph.producers
        self._users = graph.users()
        self._shown = {port.value for port in graph.outputs}

    def found(self) -> Iterator[tuple[Value, Expr]]:
        """Values with the comparison of their elements, of an argument 0."""
        for node in self._graph.nodes:
            if node.direction is not Direction.FORWARD or not isinstance(node.op, Map):
                continue
            if len(node.outputs) != 1 or node.op.properties & PINNED:
                continue
            (value,) = node.outputs
            condition = None if value in self._shown else self._condition(value)
            if condition is not None and not self._is_made_of_one(value):
                yield value, condition

    def _condition(self, value: Value) -> Expr | None:
        """What backward asks of a value, if that is all and nobody has it in memory for it."""
        users = self._users.get(value, ())
        behind = [node for node in users if node.direction is Direction.BACKWARD]
        ahead = [node for node in users if node.direction is not Direction.BACKWARD]
        if not behind or any(
            node.op.parts_axis is not None or node.op.properties & Property.VIEW for node in ahead
        ):
            return None
        if all(isinstance(node.op, Map) for node in ahead):
            return None  # then it is in no memory
        conditions = {_compared(node, value) for node in behind}
        return conditions.pop() if len(conditions) == 1 else None

    def _is_made_of_one(self, value: Value) -> bool:
        """Whether maps make it of one tensor of its size, which backward reads."""
        leaves: set[Value] = set()
        waiting, seen = [value], {value}
        while waiting:
            node = self._producers.get(waiting.pop())
            if node is None:
                continue
            for operand in node.inputs:
                maker = self._producers.get(operand)
                if operand.type.size != value.type.size or operand in seen:
                    continue
                seen.add(operand)
                if maker is not None and isinstance(maker.op, Map):
                    waiting.append(operand)
                else:
                    leaves.add(operand)
        return len(leaves) == 1 and all(
            any(n.direction is Direction.BACKWARD for n in self._users.get(leaf, ()))
            for leaf in leaves
        )


def _compared(node: Node, value: Value) -> Expr | None:
    """The one comparison in which a node reads a value, of an argument 0."""
    if not isinstance(node.op, Map) or node.inputs.count(value) != 1:
        return None
    own = e.arg(node.inputs.index(value), value.type.dtype)
    found = {x for x in e.walk(*node.op.exprs) if own in x.args}
    if len(found) != 1:
        return None
    (condition,) = found
    if condition.dtype is not BOOL or any(a is not own and a.op != "const" for a in condition.args):
        return None
    return rebuild(condition, {own: e.arg(0, own.dtype)})


def _with_signs(graph: Graph, wanted: dict[Value, Expr]) -> Graph:
    names = Context(graph)
    signs: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.direction is Direction.BACKWARD:
            for value in [v for v in node.inputs if v in wanted]:
                node = _reading_sign(node, value, signs[value])
        nodes.append(node)
        for value in node.outputs:
            if value in wanted:
                type = replace(value.type, dtype=BOOL)
                signs[value] = names.fresh(f"{value.name}.sign", type)
                op = Map((wanted[value],))
                nodes.append(replace(node, op=op, inputs=(value,), outputs=(signs[value],)))
    return replace(graph, nodes=tuple(nodes))


def _reading_sign(node: Node, value: Value, sign: Value) -> Node:
    assert isinstance(node.op, Map)
    place = node.inputs.index(value)
    own = e.arg(place, value.type.dtype)
    (condition,) = {x for x in e.walk(*node.op.exprs) if own in x.args}
    exprs = tuple(rebuild(x, {condition: e.arg(place, BOOL)}) for x in node.op.exprs)
    inputs = tuple(sign if v is value else v for v in node.inputs)
    return replace(node, op=replace(node.op, exprs=exprs), inputs=inputs)

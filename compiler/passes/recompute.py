"""Backward computes again what is cheaper to compute than to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ir.graph import Direction, Graph, Node, Value
from ir.ops.pointwise import Map
from ir.size import degree

from .context import UNBOUNDED, PassContext
from .rewrite import PINNED, Context

_MOST_COST = 96  # of a chain of maps
_MOST_LARGE = 4  # operands as large as the result
_MOST_OPERANDS = 24


def recompute(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Compute in backward what maps made of values that backward keeps anyway.

    Before (%x is kept, as backward reads it; %y only as the next layer's operand)::

        %x: f32[8,16,9,9] = conv(%data, %w)
        %y: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %z: f32[8,16,9,9] = conv(%y, %v)
      backward:
        %d_v: f32[16,16,3,3] = conv_weight_grad(%y, %d_z)

    After: %y is in memory for as long as it is read, twice::

        %y: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %z: f32[8,16,9,9] = conv(%y, %v)
      backward:
        %y.again: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %d_v: f32[16,16,3,3] = conv_weight_grad(%y.again, %d_z)
    """
    work = _Recomputation(graph)
    again: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        if work.is_stored(node):
            chain = work.chain(node.outputs[0])
            if chain is None or not context.fuel.take("recompute: computed {} again", node):
                work.kept.add(node.outputs[0])
            else:
                again[node.outputs[0]] = chain
    return _rewritten(graph, again) if again else graph


class _Recomputation:
    """``kept``: results of maps that are in memory from forward to backward."""

    def __init__(self, graph: Graph) -> None:
        self.producers = graph.producers
        self.users = graph.users()
        self.shown = {port.value for port in graph.outputs}
        self.kept: set[Value] = set()

    def is_stored(self, node: Node) -> bool:
        """Whether a node is a forward map whose result lies in memory until backward reads it."""
        return (
            _is_forward_map(node)
            and node.outputs[0] not in self.shown
            and self._is_read_by_others(node.outputs[0])
            and self._is_read_backward(node.outputs[0])
        )

    def chain(self, value: Value) -> list[Node] | None:
        """The maps that make a value of what is kept, in order; None where that is too much."""
        chain: list[Node] = []
        operands: set[Value] = set()
        if not self._collect(value, chain, operands) or len(operands) > _MOST_OPERANDS:
            return None
        large = [operand for operand in operands if _as_large(operand, value)]
        if not 0 < len(large) <= _MOST_LARGE or sum(n.op.cost for n in chain) > _MOST_COST:
            return None
        return chain if all(self._is_needed(operand, value) for operand in large) else None

    def _collect(self, value: Value, chain: list[Node], operands: set[Value]) -> bool:
        node = self.producers.get(value)
        if node is None or not _is_forward_map(node) or value in self.kept or value in self.shown:
            operands.add(value)
            return True
        if node in chain:
            return True
        if len(chain) + len(operands) > 2 * _MOST_OPERANDS:
            return False
        ready = all(self._collect(operand, chain, operands) for operand in node.inputs)
        chain.append(node)
        return ready

    def _is_needed(self, operand: Value, value: Value) -> bool:
        """Whether an operand is in memory in backward, also if ``value`` is not."""
        if operand in self.kept or operand in self.shown:
            return True
        for reader in self.users.get(operand, ()):
            if reader.direction is Direction.BACKWARD:
                return True
            # What no one else reads is computed where it is read, of its operands.
            inner = reader.outputs[0] if _is_forward_map(reader) else None
            inlined = (
                inner is not None and inner is not value and not self._is_read_by_others(inner)
            )
            if inner is not None and inlined and self._is_needed(inner, value):
                return True
        return False

    def _is_read_by_others(self, value: Value) -> bool:
        """By forward nodes that are no maps: then it is in memory."""
        return any(
            reader.direction is Direction.FORWARD and not isinstance(reader.op, Map)
            for reader in self.users.get(value, ())
        )

    def _is_read_backward(self, value: Value) -> bool:
        return any(r.direction is Direction.BACKWARD for r in self.users.get(value, ()))


def _is_forward_map(node: Node) -> bool:
    return (
        isinstance(node.op, Map)
        and node.direction is Direction.FORWARD
        and len(node.outputs) == 1
        and not node.op.properties & PINNED
    )


def _as_large(value: Value, other: Value) -> bool:
    """For all sizes that are large, if they depend on them."""
    own, least = value.type.size, other.type.size
    return (degree(own), own) >= (degree(least), least)


def _rewritten(graph: Graph, again: dict[Value, list[Node]]) -> Graph:
    """With the chains before their first readers in backward, which read what they make."""
    names = Context(graph)
    instead: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.direction is Direction.BACKWARD:
            for value in dict.fromkeys(node.inputs):
                if value in again and value not in instead:
                    made = list(_copies(again[value], names))
                    nodes += made
                    instead[value] = made[-1].outputs[0]
            if not instead.keys().isdisjoint(node.inputs):
                node = replace(node, inputs=tuple(instead.get(v, v) for v in node.inputs))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _copies(chain: list[Node], names: Context) -> Iterator[Node]:
    made: dict[Value, Value] = {}
    for node in chain:
        (value,) = node.outputs
        made[value] = names.fresh(f"{value.name}.again", value.type)
        inputs = tuple(made.get(v, v) for v in node.inputs)
        yield replace(node, inputs=inputs, outputs=(made[value],), direction=Direction.BACKWARD)

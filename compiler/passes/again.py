"""What backward reads is computed there again, of what is kept: shared by passes that do so."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from ir.graph import Direction, Graph, Node, Value

from .rewrite import Context


class ComputedAgain:
    """Puts values that are not kept before their first reader in backward, with what that takes.

    Args:
        dropped: what backward does not find.
    """

    def __init__(self, graph: Graph, dropped: Set[Value]) -> None:
        self._graph = graph
        self._dropped = dropped
        self._producers = graph.producers
        self._names = Context(graph)
        self._instead: dict[Value, Value] = {}
        self._nodes: list[Node] = []

    def rewritten(self) -> Graph:
        for node in self._graph.nodes:
            backward = node.direction is Direction.BACKWARD
            self._nodes.append(self._reading(node) if backward else node)
        return replace(self._graph, nodes=tuple(self._nodes))

    def _reading(self, node: Node) -> Node:
        """A node of backward as a reader of what is made again."""
        for value in dict.fromkeys(node.inputs):
            self._renew(value)
        return self._with_inputs(node, {})

    def _renew(self, value: Value) -> None:
        """Make what backward reads instead of a value, if that is another one."""
        waiting = [value]
        while waiting:
            value = waiting[-1]
            if not self._is_missing(value) or self._made_by_itself(value):
                waiting.pop()
                continue
            node = self._producers[value]
            before = [v for v in node.inputs if self._is_missing(v)]
            if before:
                waiting += before
            else:
                self._copy(node, self._instead)

    def _is_missing(self, value: Value) -> bool:
        return value in self._dropped and value not in self._instead and value in self._producers

    def _made_by_itself(self, value: Value) -> bool:
        """Whether a value was made just now in a way of its own."""
        return False

    def _copy(self, node: Node, made: dict[Value, Value]) -> None:
        """Compute a node again, whose results are ``made`` then."""
        fresh = tuple(self._names.fresh(f"{v.name}.again", v.type) for v in node.outputs)
        node_again = replace(self._with_inputs(node, made), outputs=fresh)
        self._nodes.append(replace(node_again, direction=Direction.BACKWARD))
        made.update(zip(node.outputs, fresh, strict=True))

    def _with_inputs(self, node: Node, made: dict[Value, Value]) -> Node:
        inputs = tuple(made[v] if v in made else self._found(v) for v in node.inputs)
        return node if inputs == node.inputs else replace(node, inputs=inputs)

    def _found(self, value: Value) -> Value:
        """What backward reads instead of a value: what is kept it reads as it is."""
        return self._instead.get(value, value) if value in self._dropped else value

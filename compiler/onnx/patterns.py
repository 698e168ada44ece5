"""Several nodes that are one of ONNX: the table of patterns, and where they are found.

A pattern is a function with the decorator :func:`pattern`, among the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ir.graph import Graph, Node, Value
from ir.op import Op

from .writer import Writer

EmitNode = Callable[[Writer], Sequence[str]]


@dataclass(frozen=True, eq=False)
class OneNode:
    """Nodes that are written together, where the last of them stands.

    ``half``: whether float16 is good enough for them.
    """

    nodes: tuple[Node, ...]
    emit: EmitNode
    half: bool = True

    @property
    def last(self) -> Node:
        return self.nodes[-1]


@dataclass(frozen=True, eq=False)
class Around:
    """What patterns ask about a graph."""

    writer: Writer
    graph: Graph
    users: dict[Value, list[Node]]
    shown: frozenset[Value]

    def made_by(self, value: Value, op: type[Op]) -> Node | None:
        """The node of a kind that makes a value."""
        node = self.graph.producers.get(value)
        return node if node is not None and isinstance(node.op, op) else None

    def only_read_by(self, value: Value, *readers: Node) -> bool:
        """Whether nothing but these nodes needs a value."""
        return value not in self.shown and all(n in readers for n in self.users.get(value, ()))


NodePattern = Callable[[Around, Node], OneNode | None]

_PATTERNS: list[tuple[type[Op], NodePattern]] = []


def pattern(op: type[Op]) -> Callable[[NodePattern], NodePattern]:
    """Register a pattern whose last node is of a kind."""

    def register(function: NodePattern) -> NodePattern:
        _PATTERNS.append((op, function))
        return function

    return register


def found_patterns(writer: Writer, graph: Graph) -> dict[Node, OneNode]:
    """The match that each node is part of, if it is of any. No node is part of two."""
    around = Around(writer, graph, graph.users(), frozenset(p.value for p in graph.outputs))
    found: dict[Node, OneNode] = {}
    for node in reversed(graph.nodes):
        if node in found:
            continue
        for op, attempt in _PATTERNS:
            match = attempt(around, node) if isinstance(node.op, op) else None
            if match is not None and not any(n in found for n in match.nodes):
                found.update(dict.fromkeys(match.nodes, match))
                break
    return found

"""Tools of graph rewriting that several passes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ir.build import Builder
from ir.graph import Graph, Node, Value
from ir.op import Op, Property
from ir.types import TensorType

from .fuel import Fuel

PINNED = Property.EFFECT | Property.HOST | Property.DYNAMIC | Property.RANDOM
"""Ops with one of these are neither merged with an equal one nor computed twice."""


def resume(graph: Graph) -> Builder:
    """A builder that goes on where ``graph`` ends: its ports, nodes and names are taken over."""
    b = Builder(graph.name)
    for value in graph.values():
        b.unique(value.name)
    b.inputs = list(graph.inputs)
    b.nodes = list(graph.nodes)
    b.outputs = list(graph.outputs)
    return b


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a rule makes of one node: other nodes in its place, and values that others replace.

    Every result of the node is a result of ``nodes`` or a key of ``alias``. Where a value would be
    replaced by one of another layout the rewrite is not made.
    """

    nodes: tuple[Node, ...] = ()
    alias: Mapping[Value, Value] = field(default_factory=dict)


class Context:
    """What a rule may look at: the graph as rewritten so far."""

    def __init__(self, graph: Graph) -> None:
        self.producers: dict[Value, Node] = {}
        self.names = {v.name for v in graph.values()}

    def producer(self, value: Value) -> Op | None:
        """The op that makes ``value``; None for inputs of the graph."""
        node = self.producers.get(value)
        return None if node is None else node.op

    def fresh(self, name: str, type: TensorType) -> Value:
        """A new value under ``name`` or, if that is taken, ``name.1``, ``name.2`` ..."""
        unique, count = name, 0
        while unique in self.names:
            count += 1
            unique = f"{name}.{count}"
        self.names.add(unique)
        return Value(unique, type)


RewriteRule = Callable[[Node, Context], Rewrite | None]
RULES: dict[type[Op], list[RewriteRule]] = {}


def simplifies(*ops: type[Op]) -> Callable[[RewriteRule], RewriteRule]:
    """Decorator: register a rule for ops. The rules of an op are tried in the order in which they
    are registered: file by file of :mod:`.rules`, by their names."""

    def add(rule: RewriteRule) -> RewriteRule:
        for op in ops:
            RULES.setdefault(op, []).append(rule)
        return rule

    return add


_MOST_REWRITES = 64  # of one node; rules only ever shrink graphs, this is a safety net


def sweep(graph: Graph, fuel: Fuel) -> Graph:
    """Visit every node in order, its inputs already rewritten, and apply the rules of its op.

    Equal ops of equal inputs become one. Returns ``graph`` itself if nothing changed.
    """
    context = Context(graph)
    alias: dict[Value, Value] = {}
    known: dict[tuple[Op, tuple[Value, ...], tuple[TensorType, ...]], Node] = {}
    nodes: list[Node] = []
    changed = False
    for original in graph.nodes:
        for made in _rewritten(_resolved(original, alias), context, fuel, alias):
            done = _resolved(made, alias)
            key = (done.op, done.inputs, tuple(v.type for v in done.outputs))
            twin = known.get(key) if not done.op.properties & PINNED else None
            if twin is not None and fuel.take("simplify: merged {} with {}", done, twin):
                alias.update(zip(done.outputs, twin.outputs, strict=True))
                changed = True
                continue
            known[key] = done
            nodes.append(done)
            changed |= done is not original
            context.producers.update(dict.fromkeys(done.outputs, done))
    if not changed and not alias:
        return graph
    outputs = tuple(
        replace(p, value=_resolve(p.value, alias)) if p.value in alias else p for p in graph.outputs
    )
    return Graph(graph.name, graph.inputs, tuple(nodes), outputs)


def _resolve(value: Value, alias: Mapping[Value, Value]) -> Value:
    while value in alias:
        value = alias[value]
    return value


def _resolved(node: Node, alias: Mapping[Value, Value]) -> Node:
    if not any(v in alias for v in node.inputs):
        return node
    return replace(node, inputs=tuple(_resolve(v, alias) for v in node.inputs))


def _rewritten(
    node: Node,
    context: Context,
    fuel: Fuel,
    alias: dict[Value, Value],
) -> list[Node]:
    pending, done = [node], []
    for _ in range(_MOST_REWRITES):
        if not pending:
            break
        current = pending.pop()
        for rule in RULES.get(type(current.op), ()):
            found = rule(current, context)
            if found is None or any(a.type != b.type for a, b in found.alias.items()):
                continue
            if fuel.take("simplify: {} of {}", rule.__name__, current):
                alias.update(found.alias)
                pending.extend(reversed(found.nodes))
                break
        else:
            done.append(current)
            context.producers.update(dict.fromkeys(current.outputs, current))
    return [*done, *reversed(pending)]

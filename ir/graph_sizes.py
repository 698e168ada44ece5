"""Graphs at other sizes: what holds sizes is found by the fields of ops, so that none is listed."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from . import expr as e
from .expr import Expr
from .expr_exchange import rebuild
from .graph import Graph, Node, Port, Role, Value
from .op import Op
from .size import (
    Condition,
    Real,
    Scope,
    Size,
    Symbol,
    form_of,
    size_of,
    symbols_in,
    symbols_of,
)
from .size.form import of_atom
from .type_sizes import TypeSubstitution
from .types import TensorType


def graph_at(graph: Graph, values: Mapping[str, int]) -> Graph:
    """The graph where the symbols have these values, as a graph of plain numbers.

    What does not change is shared with it. Raises KeyError for a symbol without a value, ValueError
    for a value that is no whole number from 1, and ZeroDivisionError where a size divides by 0.
    """
    return Substitution(values).graph(graph)


def graph_at_hand(graph: Graph) -> Graph:
    """The graph where the symbols have the values that they have at the sizes at hand."""
    return graph_at(graph, {symbol.key: symbol.value for symbol in graph_symbols(graph)})


def graph_symbols(graph: Graph) -> tuple[Symbol, ...]:
    """The symbols in a graph, in the order in which they were made."""
    found = {symbol for number in _numbers(graph) for symbol in symbols_of(number)}
    return tuple(sorted(found, key=lambda symbol: symbol.number))


def told_symbols(graph: Graph) -> dict[str, tuple[Port, int]]:
    """By key the symbols that are extents of what a caller feeds: the first such input and axis."""
    found: dict[str, tuple[Port, int]] = {}
    for port in graph.inputs:
        for axis, extent in enumerate(port.value.shape if port.role is Role.DATA else ()):
            for symbol in symbols_of(extent):
                if form_of(extent) == of_atom(symbol):
                    found.setdefault(symbol.key, (port, axis))
    return found


def tensor_sizes(graph: Graph) -> set[int]:
    """Elements that the tensors in a graph, and in the graphs inside its nodes, take in memory."""
    found = {value.type.memory_size for value in graph.values()}
    for node in graph.nodes:
        for name in _fields(type(node.op)):
            inner = getattr(node.op, name)
            if isinstance(inner, Graph):
                found |= tensor_sizes(inner)
    return found


def graph_equalities(graph: Graph) -> tuple[Condition, ...]:
    """What has to hold for the sizes of a graph to be equal where they must."""
    scopes = {number.scope for number in _numbers(graph) if isinstance(number, Size)}
    known = set(graph_symbols(graph))
    return tuple(
        condition
        for scope in scopes
        for condition in scope.conditions
        if condition.relation == "==" and known.issuperset(symbols_in(condition.form))
    )


def named_sizes(graph: Graph) -> tuple[Scope, dict[str, int]]:
    """The scope of a graph's sizes, one of its own where it has none, and its symbols as sizes."""
    scope = next((number.scope for number in _numbers(graph) if isinstance(number, Size)), Scope())
    return scope, {s.key: size_of(scope, s) for s in graph_symbols(graph)}


def at_hand(graph: Graph) -> dict[str, int]:
    """What the symbols in a graph are at the sizes at hand."""
    return {symbol.key: symbol.value for symbol in graph_symbols(graph)}


def _numbers(part: object) -> Iterator[float]:
    """The sizes and reals in a graph, in a type, or in an attribute of an op."""
    if isinstance(part, Size | Real):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _numbers(item)
    elif isinstance(part, TensorType):
        yield from _numbers(part.shape)
    elif isinstance(part, Expr):
        yield from (leaf.value for leaf in e.walk(part) if isinstance(leaf.value, Size | Real))
    elif isinstance(part, Graph):
        for value in part.values():
            yield from _numbers(value.type)
        for node in part.nodes:
            for name in _fields(type(node.op)):
                yield from _numbers(getattr(node.op, name))


class Substitution(TypeSubstitution):
    """Numbers for the symbols of a graph.

    Args:
        values: by the symbols' names.
    """

    def __init__(self, values: Mapping[str, int]) -> None:
        super().__init__(values)
        self._values: dict[Value, Value] = {}
        self._exprs: dict[Expr, Expr] = {}

    def graph(self, graph: Graph) -> Graph:
        inputs = tuple(map(self.port, graph.inputs))
        nodes = tuple(map(self.node, graph.nodes))
        return Graph(graph.name, inputs, nodes, tuple(map(self.port, graph.outputs)))

    def port(self, port: Port) -> Port:
        value = self.value(port.value)
        return port if value is port.value else Port(port.name, value, port.role)

    def node(self, node: Node) -> Node:
        op = self.op(node.op)
        inputs = tuple(map(self.value, node.inputs))
        outputs = tuple(map(self.value, node.outputs))
        if op is node.op and inputs == node.inputs and outputs == node.outputs:
            return node
        return Node(op, inputs, outputs, node.location, node.direction)

    def value(self, value: Value) -> Value:
        """The value that stands for one; itself where its type holds no size."""
        found = self._values.get(value)
        if found is None:
            type = self.type(value.type)
            found = value if type is value.type else Value(value.name, type)
            self._values[value] = found
        return found

    def op(self, op: Op) -> Op:
        changed = None
        for name in _fields(op.__class__):
            old = getattr(op, name)
            new = self.part(old)
            if new is not old:
                changed = changed or {}
                changed[name] = new
        return dataclasses.replace(op, **changed) if changed else op  # type: ignore[type-var]

    def part(self, part: Any) -> Any:
        """A type's shape, or an attribute of an op; itself where it holds no size."""
        kind = part.__class__
        if kind is int:
            return part
        if kind is Size:
            return self._sizes.size(part)
        if kind is tuple:
            if not part or part[0].__class__ in (int, Size):
                return self._numbers(part)
            new = tuple(map(self.part, part))
            return part if all(map(operator.is_, new, part)) else new
        if kind is Expr:
            return self.expr(part)
        if kind is TensorType:
            return self.type(part)
        return self.graph(part) if kind is Graph else part

    def expr(self, expr: Expr) -> Expr:
        found = self._exprs.get(expr)
        if found is None:
            found = self._exprs[expr] = self._expr(expr)
        return found

    def _expr(self, expr: Expr) -> Expr:
        leaves = {
            leaf: e.dyn(self._sizes.real(leaf.value), leaf.dtype)
            for leaf in e.walk(expr)
            if leaf.op == "dyn" and isinstance(leaf.value, Size | Real)
        }
        return rebuild(expr, leaves) if leaves else expr


@functools.cache
def _fields(cls: type[Op]) -> tuple[str, ...]:
    """The attributes of an op that may hold sizes: not texts, functions, floats and flags."""
    return tuple(
        field.name
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]
        if field.compare and field.type not in ("str", "bool", "float", str, bool, float)
    )

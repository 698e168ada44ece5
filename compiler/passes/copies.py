"""Copies: maps that change nothing but the layout in which memory holds a value."""

from __future__ import annotations

from ir.expr import arg
from ir.graph import Node, Value
from ir.ops.pointwise import Map
from ir.types import TensorType

from .rewrite import Context


def is_copy(node: Node) -> bool:
    """Whether a node gives what it is given, in memory of its own."""
    op = node.op
    one = isinstance(op, Map) and len(op.exprs) == 1 and op.exprs[0].op == "arg"
    return one and node.inputs[0].shape == node.outputs[0].shape


class Copies:
    """Copies of values, one for each layout."""

    def __init__(self, names: Context) -> None:
        self._names = names
        self._known: dict[tuple[Value, TensorType], Value] = {}
        self._new: list[Node] = []

    def of(self, value: Value, type: TensorType, reader: Node) -> Value:
        """The value in memory as ``type`` says. ``reader``: for whom it is copied first."""
        if value.type == type:
            return value
        key = (value, type)
        if key not in self._known:
            copy = self._known[key] = self._names.fresh(f"{value.name}.copy", type)
            op = Map((arg(0, type.dtype),))
            self._new.append(Node(op, (value,), (copy,), reader.location, reader.direction))
        return self._known[key]

    def known(self, value: Value, type: TensorType) -> Value:
        """As :meth:`of`, of a value that is copied already if it has to be."""
        return value if value.type == type else self._known[value, type]

    def new(self) -> list[Node]:
        """The copies since this was last asked."""
        found, self._new = self._new, []
        return found

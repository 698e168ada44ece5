"""Build graphs: one method per op, with types inferred and names kept unique."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from . import expr as e
from .backward import backward
from .errors import RoasteryError
from .expr import Expr, Operand
from .graph import NOWHERE, Direction, Graph, Node, Port, Role, Value
from .layout import Layout
from .location import Location
from .op import Op, Property
from .ops.matmul import MatMul
from .ops.movement import Concat, Pad, Reshape, Slice, Transpose
from .ops.pointwise import Map
from .ops.reduction import Reduce
from .types import DType, TensorType

_ODD = re.compile(r"[^\w./\-@+]")


class Builder:
    """Appends nodes to a growing graph. Not reusable after :meth:`finish`.

    ``location``, ``direction`` and ``hint`` apply to the nodes added while they are set
    (see :meth:`at`); ``hint`` names results (``ip1`` gives ``ip1.matmul``, ``ip1.map`` ...).
    """

    def __init__(self, name: str = "graph") -> None:
        self.name = name
        self.inputs: list[Port] = []
        self.nodes: list[Node] = []
        self.outputs: list[Port] = []
        self.location: Location = NOWHERE
        self.direction = Direction.FORWARD
        self.hint = ""
        self._names: dict[str, int] = {}
        self._ports: dict[Value, Port] = {}

    @contextlib.contextmanager
    def at(
        self,
        location: Location | None = None,
        hint: str | None = None,
        direction: Direction | None = None,
    ) -> Iterator[None]:
        """Give the nodes added inside a place, a name hint and a direction."""
        saved = self.location, self.hint, self.direction
        if location is not None:
            self.location = location
        if hint is not None:
            self.hint = hint
        if direction is not None:
            self.direction = direction
        try:
            yield
        finally:
            self.location, self.hint, self.direction = saved

    def unique(self, name: str) -> str:
        """``name``, or ``name.1``, ``name.2`` ... if it is taken."""
        name = _ODD.sub("_", name) or "v"
        count = self._names.get(name)
        if count is None:
            self._names[name] = 0
            return name
        while True:
            count += 1
            candidate = f"{name}.{count}"
            if candidate not in self._names:
                self._names[name] = count
                self._names[candidate] = 0
                return candidate

    def input(self, name: str, type: TensorType, role: Role = Role.DATA) -> Value:
        value = Value(self.unique(name), type)
        port = self._ports[value] = Port(name, value, role)
        self.inputs.append(port)
        return value

    def port(self, value: Value) -> Port | None:
        """The port of a value that :meth:`input` made."""
        return self._ports.get(value)

    def output(self, name: str, value: Value, role: Role = Role.RESULT) -> None:
        self.outputs.append(Port(name, value, role))

    def emit_all(
        self, op: Op, *inputs: Value, names: Sequence[str] = (), layout: Layout | None = None
    ) -> tuple[Value, ...]:
        """Add a node; returns all its results. ``layout``: of them, except of a view."""
        try:
            types = op.infer([v.type.logical for v in inputs])
        except TypeError as error:
            shown = ", ".join(str(v.type) for v in inputs)
            raise RoasteryError(f"{op.name}({shown}): {error}", location=self.location) from error
        if op.properties & Property.VIEW:
            types = (op.viewed(inputs[0].type) or types[0],)
        elif layout is not None:
            types = tuple(replace(t, layout=layout) for t in types)
        default = f"{self.hint}.{op.name}" if self.hint else op.name
        hints = list(names) + [default] * (len(types) - len(names))
        outputs = tuple(Value(self.unique(h), t) for h, t in zip(hints, types, strict=True))
        self.nodes.append(Node(op, tuple(inputs), outputs, self.location, self.direction))
        return outputs

    def emit(self, op: Op, *inputs: Value, layout: Layout | None = None) -> Value:
        """Add a node with one result."""
        (value,) = self.emit_all(op, *inputs, layout=layout)
        return value

    def nested(self, name: str) -> Builder:
        """For a graph inside a node that comes next: its nodes come from the same place."""
        b = Builder(name)
        b.location, b.direction, b.hint = self.location, self.direction, self.hint
        return b

    def backward(
        self, outputs: Mapping[Value, Value], wanted: Sequence[Value]
    ) -> dict[Value, Value]:
        """Append the backward of what is there; see :func:`ir.backward.backward`."""
        return backward(self, outputs, wanted)

    def finish(self) -> Graph:
        return Graph(self.name, tuple(self.inputs), tuple(self.nodes), tuple(self.outputs))

    # --- pointwise --------------------------------------------------------------------

    def map(self, expr: Operand, *inputs: Value, shape: Sequence[int] | None = None) -> Value:
        """Pointwise op. Inputs have one rank; extents are equal or 1 (then they broadcast)."""
        op = Map((e.as_expr(expr),), None if shape is None else tuple(shape))
        return self.emit(op, *inputs)

    def maps(
        self, exprs: Sequence[Expr], *inputs: Value, shape: Sequence[int] | None = None
    ) -> tuple[Value, ...]:
        """Pointwise op with several results of one shape."""
        op = Map(tuple(exprs), None if shape is None else tuple(shape))
        return self.emit_all(op, *inputs)

    def fill(self, number: Operand, shape: Sequence[int]) -> Value:
        """A constant tensor."""
        return self.map(number, shape=shape)

    def add(self, a: Value, c: Value) -> Value:
        return self.map(e.arg(0, a.type.dtype) + e.arg(1, c.type.dtype), a, c)

    def broadcast(self, x: Value, shape: Sequence[int]) -> Value:
        """Repeat along extents that are 1; ``shape`` has the rank of ``x``."""
        if tuple(shape) == x.shape:
            return x
        return self.map(e.arg(0, x.type.dtype), x, shape=shape)

    # --- reductions -------------------------------------------------------------------

    def reduce(self, kind: str, x: Value, axes: Sequence[int]) -> Value:
        """``sum``, ``max``, ``min`` or ``prod`` over axes, which stay with extent 1."""
        axes = tuple(sorted(axes))
        return self.emit(Reduce(kind, axes), x) if axes else x

    def sum(self, x: Value, axes: Sequence[int]) -> Value:
        return self.reduce("sum", x, axes)

    # --- movement ---------------------------------------------------------------------

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        if tuple(shape) == x.shape:
            return x
        op = Reshape(tuple(shape))
        return self.emit(op, self.copy(x) if op.viewed(x.type) is None else x)

    def copy(self, x: Value, layout: Layout | None = None) -> Value:
        """The same tensor in memory of another layout; None: row-major."""
        return self.emit(Map((e.arg(0, x.type.dtype),)), x, layout=layout)

    def cast(self, x: Value, dtype: DType) -> Value:
        """A float tensor as one of another float type."""
        if x.type.dtype is dtype:
            return x
        rule = e.cast(e.arg(0, x.type.dtype), dtype)
        return self.emit(Map((rule,)), x, layout=x.type.layout)

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        order = tuple(order)
        return x if order == tuple(range(len(order))) else self.emit(Transpose(order), x)

    def slice(self, x: Value, axis: int, start: int, stop: int) -> Value:
        if start == 0 and stop == x.shape[axis]:
            return x
        return self.emit(Slice(axis, start, stop), x)

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        return values[0] if len(values) == 1 else self.emit(Concat(axis), *values)

    def pad(self, x: Value, low: Sequence[int], high: Sequence[int], value: float = 0.0) -> Value:
        """Extend every axis at both ends (negative amounts cut off)."""
        if not any(low) and not any(high):
            return x
        return self.emit(Pad(tuple(low), tuple(high), value), x)

    # --- contractions -----------------------------------------------------------------

    def matmul(
        self, a: Value, c: Value, *, transpose_a: bool = False, transpose_b: bool = False
    ) -> Value:
        """Batched matrix product over the last two axes; batch axes are equal."""
        return self.emit(MatMul(transpose_a, transpose_b), a, c)


def expand(b: Builder, x: Value, rank: int, axis: int) -> Value:
    """View a vector or small tensor as rank ``rank`` with its axes starting at ``axis``."""
    shape = (1,) * axis + x.shape + (1,) * (rank - axis - len(x.shape))
    return b.reshape(x, shape)

"""The body of a kernel whose operands, results and factors may have 16 bits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ir import expr as e
from ir.graph import Graph, Node, Port, Role, Value
from ir.ops.fusion import summing_nodes
from ir.ops.pointwise import Map, widens
from ir.types import DType

from .factors import MOVING, is_product


def with_dtype(value: Value, dtype: DType, name: str = "") -> Value:
    return Value(name or value.name, replace(value.type, dtype=dtype))


class NarrowBody:
    """A body written anew: computing in f32, casting what it reads and writes.

    Args:
        inputs: what the body's inputs have become; of the same type, or narrow.
        results: what its outputs are to be: a value for each, under which its node hands it out.
        multiplies: whether products take narrow factors.
        stored: what is to be narrow of the body's results. Sums over it are of what is stored.
    """

    def __init__(
        self,
        body: Graph,
        dtype: DType,
        inputs: Mapping[Value, Value],
        multiplies: bool,
        stored: Collection[Value] = (),
    ) -> None:
        self.body, self.dtype = body, dtype
        self.nodes: list[Node] = []
        self._names = {v.name for v in (*body.values(), *inputs.values())}
        self._wide: dict[Value, Value] = {}
        self._narrow: dict[Value, Value] = {}
        self._widened: set[Value] = set()
        self._place = body.nodes[0]
        self._stored = dict.fromkeys(stored)
        self._summing = set(summing_nodes(body)) if stored else set()
        self._rounded: dict[Value, Value] = {}  # what is stored, made f32 again
        for port in body.inputs:
            now = inputs[port.value]
            held = self._narrow if now.type.dtype is not port.value.type.dtype else self._wide
            held[port.value] = now
        for node in body.nodes:
            self._place = node
            self._write(node, multiplies)

    def graph(self, inputs: Sequence[Value], outputs: Sequence[tuple[Value, Value]]) -> Graph:
        """``outputs``: values of the old body, and what they are handed out as."""
        ports = []
        for value, outer in outputs:
            inner = self.narrow(value) if outer.type.dtype.is_narrow else self.wide(value)
            ports.append(Port(outer.name, inner, Role.RESULT))
        taken = tuple(Port(v.name, v, Role.DATA) for v in dict.fromkeys(inputs))
        return Graph(self.body.name, taken, tuple(self.nodes), tuple(ports))

    def handed_on(self, value: Value) -> Value | None:
        """The narrow input that a value is, if it is one that was made f32 and nothing else."""
        found = self._narrow.get(value)
        return None if found is None or any(found in n.outputs for n in self.nodes) else found

    def wide(self, value: Value) -> Value:
        if value not in self._wide:
            held = self._narrow[value]
            made = value  # as it was made before
            if value not in self._widened:
                made = Value(self._fresh(f"{value.name}.{value.type.dtype}"), value.type)
            self._wide[value] = self._cast(held, made)
        return self._wide[value]

    def narrow(self, value: Value) -> Value:
        if value.type.dtype.is_narrow:  # it was before
            return self.wide(value)
        if value not in self._narrow:
            held = self._wide[value]
            made = with_dtype(value, self.dtype, self._fresh(f"{value.name}.{self.dtype}"))
            self._narrow[value] = self._cast(held, made)
        return self._narrow[value]

    def _cast(self, held: Value, made: Value) -> Value:
        rule = e.cast(e.arg(0, held.type.dtype), made.type.dtype)
        self.nodes.append(replace(self._place, op=Map((rule,)), inputs=(held,), outputs=(made,)))
        return made

    def _fresh(self, name: str) -> str:
        unique, count = name, 0
        while unique in self._names:
            count += 1
            unique = f"{name}.{count}"
        self._names.add(unique)
        return unique

    def _write(self, node: Node, multiplies: bool) -> None:
        if widens(node) and node.inputs[0] in self._wide:
            self._narrow[node.output] = self._wide[node.inputs[0]]
            self._widened.add(node.output)
            return
        if is_product(node) and multiplies:
            self._emit(node, [self.narrow(v) for v in node.inputs])
        elif node.op.properties & MOVING and self._are_narrow(node.inputs):
            moved = with_dtype(node.output, self.dtype, self._fresh(f"{node.output.name}.moved"))
            self.nodes.append(
                replace(node, inputs=tuple(map(self.narrow, node.inputs)), outputs=(moved,))
            )
            self._narrow[node.output] = moved
        else:
            operand = self._as_stored if node in self._summing else self.wide
            for value in node.inputs:  # before what is made f32, as if it had been there
                if operand == self._as_stored and value in self._stored:
                    self.narrow(value)
            self._emit(node, [operand(v) for v in node.inputs])

    def _as_stored(self, value: Value) -> Value:
        if value not in self._stored or value.type.dtype.is_narrow:
            return self.wide(value)
        if value not in self._rounded:
            name = self._fresh(f"{value.name}.stored")
            self._rounded[value] = self._cast(self.narrow(value), Value(name, value.type))
        return self._rounded[value]

    def _are_narrow(self, values: Collection[Value]) -> bool:
        return all(v in self._narrow for v in values)

    def _emit(self, node: Node, inputs: Sequence[Value]) -> None:
        same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
        self.nodes.append(node if same else replace(node, inputs=tuple(inputs)))
        self._wide.update((v, v) for v in node.outputs)

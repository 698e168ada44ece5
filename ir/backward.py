"""Cotangents of values, node by node from the last to the first: each op builds its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import expr as e
from .errors import RoasteryError
from .graph import NOWHERE, Direction, Node
from .location import Location
from .op import Adjoint, GradientBuilder
from .ops.pointwise import Map
from .value import Value


def backward(
    b: GradientBuilder, outputs: Mapping[Value, Value], wanted: Sequence[Value]
) -> dict[Value, Value]:
    """Append the nodes that compute the cotangents of ``wanted``.

    Only nodes between the wanted values and the outputs are differentiated. Where a value is
    read several times, one map adds the parts, the first reader's first (a seed before all).

    Args:
        outputs: value -> its cotangent (the seed), of the value's type.
        wanted: values of a float type; graph inputs or results of nodes.

    Returns the cotangent of every wanted value that has one, in the order of ``wanted``.
    """
    nodes = tuple(b.nodes)
    sweep = _Sweep(b, outputs, depending(nodes, wanted))
    for node in reversed(nodes):
        sweep.through(node)
    return {v: g for v in dict.fromkeys(wanted) if (g := sweep.total(v)) is not None}


def depending(nodes: Sequence[Node], wanted: Sequence[Value]) -> set[Value]:
    """The wanted values and all that is computed from them without leaving the floats."""
    needed = {v for v in wanted if v.type.dtype.is_float}
    for node in nodes:
        if any(v in needed for v in node.inputs):
            needed.update(v for v in node.outputs if v.type.dtype.is_float)
    return needed


class _Sweep:
    """The parts of every cotangent that are known so far, while going back over the nodes."""

    def __init__(
        self, b: GradientBuilder, seeds: Mapping[Value, Value], needed: set[Value]
    ) -> None:
        self.b = b
        self.needed = needed
        self.seeds = seeds
        self.unnamed: set[Value] = set()  # made here, still named after their op
        self.parts: dict[Value, list[Value]] = {}  # the last reader's first
        self.place: dict[Value, Location] = {}  # of the first reader
        self.totals: dict[Value, Value | None] = {}

    def through(self, node: Node) -> None:
        flows = tuple(v in self.needed for v in node.inputs)
        if not any(flows):
            return
        cotangents = tuple(self.total(v) for v in node.outputs)
        if all(g is None for g in cotangents):
            return
        b = self.b
        start = len(b.nodes)
        with b.at(node.location, f"d_{node.outputs[0].name}", Direction.BACKWARD):
            at = Adjoint(node.inputs, node.outputs, cotangents, flows)
            parts = node.op.gradient(b, at)
        self.unnamed.update(v for n in b.nodes[start:] for v in n.outputs)
        for value, part, flow in zip(node.inputs, parts, flows, strict=True):
            if part is not None and flow:
                self._add(value, part, node.location)

    def _add(self, value: Value, part: Value, location: Location) -> None:
        if part.type.logical != value.type.logical:
            raise RoasteryError(
                f"the gradient of %{value.name} is {part.type}, the value is {value.type}",
                location=location,
            )
        self.parts.setdefault(value, []).append(part)
        self.place[value] = location

    def total(self, value: Value) -> Value | None:
        """The sum of all parts. Asked for when no reader of the value is left to come."""
        if value not in self.totals:
            parts = self.parts.pop(value, [])[::-1]
            if value in self.seeds:
                parts.insert(0, self.seeds[value])
            self.totals[value] = self._sum(value, parts) if parts else None
        return self.totals[value]

    def _sum(self, value: Value, parts: Sequence[Value]) -> Value:
        if len(parts) == 1:
            if parts[0] in self.unnamed:
                self.unnamed.remove(parts[0])
                parts[0].name = self.b.unique(f"d_{value.name}")
            return parts[0]
        terms = [e.arg(i, value.type.dtype) for i in range(len(parts))]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        place = self.place.get(value, NOWHERE)
        with self.b.at(place, f"d_{value.name}", Direction.BACKWARD):
            (result,) = self.b.emit_all(Map((total,)), *parts, names=[f"d_{value.name}"])
        return result

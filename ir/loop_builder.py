"""Builds loops: the body, what its inputs are given, and what becomes of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .graph import Graph, Node, Port, Role
from .op import GradientBuilder, Op
from .types import TensorType
from .value import Value

Builds = TypeVar("Builds", bound=GradientBuilder)

MakeOperand = Callable[[], Value]
MakeLoop = Callable[[int, int, Graph], Op]
"""A loop with so many sliced operands, so many carried ones, around a body."""


@dataclass(frozen=True, slots=True)
class LoopResults:
    """Of a loop that was built: ``last``, what each carried value is after the last step, by the
    value that the body reads; ``stacks``, by the body's values."""

    last: Mapping[Value, Value]
    stacks: Mapping[Value, Value]


class LoopBuilder(Generic[Builds]):
    """A loop, to be appended by ``b``.

    Nodes are added to ``body``, which reads what :meth:`part`, :meth:`carry` and :meth:`fixed`
    give.
    """

    def __init__(self, b: Builds, name: str, loop: MakeLoop) -> None:
        self.body: Builds = b.nested(name)
        self._b = b
        self._loop = loop
        self._parts: dict[Value, MakeOperand] = {}
        self._starts: dict[Value, Value] = {}
        self._fixed: dict[Value, Value] = {}
        self._handed: dict[Value, Value] = {}
        self._stacked: dict[Value, None] = {}

    def part(self, tensor: Value) -> Value:
        """What a step has of a tensor [steps, ...]."""
        type = TensorType(tensor.shape[1:], tensor.type.dtype)
        return self.part_of(tensor.name, type, lambda: tensor)

    def part_of(self, name: str, type: TensorType, made: MakeOperand) -> Value:
        """Likewise, of a tensor that is made if a step reads it."""
        value = self.body.input(name, type)
        self._parts[value] = made
        return value

    def carry(self, start: Value) -> Value:
        """What the step before handed on; the first one gets ``start``."""
        value = self.body.input(start.name, start.type.logical)
        self._starts[value] = start
        return value

    def fixed(self, operand: Value) -> Value:
        """What is the same in every step."""
        value = self.body.input(operand.name, operand.type.logical)
        self._fixed[value] = operand
        return value

    def hand_on(self, carried: Value, value: Value) -> None:
        """To the next step, which reads it as ``carried``."""
        self._handed[carried] = value

    def stack(self, value: Value) -> None:
        """Keep a result of all steps."""
        self._stacked[value] = None

    def finish(self) -> LoopResults:
        """Append the loop, with what its results need."""
        made = [*(self._handed[v] for v in self._starts), *self._stacked]
        nodes, read = _needed(self.body.nodes, made)
        parts = [v for v in self._parts if v in read]
        fixed = [v for v in self._fixed if v in read]
        inputs = [*parts, *self._starts, *fixed]
        body = Graph(
            self.body.name,
            tuple(Port(v.name, v, Role.DATA) for v in inputs),
            tuple(nodes),
            tuple(Port(f"{n}", v, Role.RESULT) for n, v in enumerate(made)),
        )
        results = self._b.emit_all(
            self._loop(len(parts), len(self._starts), body),
            *(self._parts[v]() for v in parts),
            *self._starts.values(),
            *(self._fixed[v] for v in fixed),
            names=[v.name for v in made],
        )
        count = len(self._starts)
        return LoopResults(
            dict(zip(self._starts, results[:count], strict=True)),
            dict(zip(self._stacked, results[count:], strict=True)),
        )


def _needed(nodes: list[Node], values: list[Value]) -> tuple[list[Node], set[Value]]:
    """The nodes that make values, and all that is read."""
    read = set(values)
    kept: list[Node] = []
    for node in reversed(nodes):
        if not read.isdisjoint(node.outputs):
            read.update(node.inputs)
            kept.append(node)
    return kept[::-1], read

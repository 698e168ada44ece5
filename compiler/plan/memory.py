"""From a fused graph and its launches to a memory plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ir.graph import Graph, Node, Port, Role, Value
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import TensorType

from ..compiled import CompiledGraph, CopyStep, HostStep, MemoryPlan, Place, Step
from ..kernel import Launch, Scratch
from .arena import Interval, aligned, lower_bound, plan_arena

LowerNode = Callable[[Node], Sequence[Launch]]

PADDING = 16
"""Elements; buffers hold a multiple, as :mod:`runtime.buffers` allocates them."""


def padded_nbytes(type: TensorType) -> int:
    count = max(PADDING, -(-type.size // PADDING) * PADDING)
    return count * type.dtype.itemsize


def compile_steps(graph: Graph, lower: LowerNode) -> CompiledGraph:
    """Turn nodes into steps and give every value a place.

    ``graph`` consists of Fused, VIEW and HOST nodes. An output is written to its port directly
    unless that would overwrite an input of the same name that something still reads; then it is copied there
    at the end.
    """
    steps: list[Step] = []
    span: dict[Node, tuple[int, int]] = {}
    roots: dict[Value, Value] = {}
    for node in graph.nodes:
        first = len(steps)
        if Property.VIEW in node.op.properties:
            roots[node.output] = roots.get(node.inputs[0], node.inputs[0])
        elif Property.HOST in node.op.properties:
            steps.append(HostStep(node))
        else:
            steps.extend(lower(node))
        span[node] = (first, len(steps) - 1)
    planner = _Planner(graph, roots, span, len(steps))
    return planner.finish(steps)


@dataclass
class _Planner:
    graph: Graph
    roots: dict[Value, Value]
    span: dict[Node, tuple[int, int]]
    count: int
    first: dict[Value, int] = field(default_factory=dict)
    last: dict[Value, int] = field(default_factory=dict)
    maker: dict[Value, Node] = field(default_factory=dict)
    final_reader: dict[Value, Node] = field(default_factory=dict)
    places: dict[Value | Scratch, Place] = field(default_factory=dict)

    def root(self, value: Value) -> Value:
        return self.roots.get(value, value)

    def finish(self, steps: list[Step]) -> CompiledGraph:
        self._liveness()
        inputs = {p.value: p for p in self.graph.inputs}
        for value, port in inputs.items():
            self.places[value] = Place(padded_nbytes(value.type), port=port)
        early: list[CopyStep] = []  # of inputs, before an output in the same buffer is written
        copies: list[CopyStep] = []
        for port in self.graph.outputs:
            value = self.root(port.value)
            if value in inputs and not any(_same_buffer(p, port) for p in self.graph.inputs):
                early.append(CopyStep(port.value, port))
            elif value in self.places or not self._may_write(port, value):
                copies.append(CopyStep(port.value, port))
                self.last[value] = self.count + len(self.graph.outputs)
            else:
                nbytes = padded_nbytes(value.type)
                self.places[value] = Place(nbytes, port=port, is_output=True)
        intervals, sharing, total = self._intervals(steps)
        arena = plan_arena(intervals)
        for key, slot in sharing.items():
            nbytes = key.nbytes if isinstance(key, Scratch) else padded_nbytes(key.type)
            self.places[key] = Place(nbytes, offset=arena.offsets[slot])
        for value, root in self.roots.items():
            self.places[value] = self.places[root]
        plan = MemoryPlan(self.places, arena.nbytes, total, lower_bound(intervals))
        return CompiledGraph(self.graph, (*early, *steps, *copies), plan)

    def _liveness(self) -> None:
        for node in self.graph.nodes:
            if Property.VIEW in node.op.properties:
                continue
            start, end = self.span[node]
            for value in node.outputs:
                self.first[value] = start
                self.last[value] = end
                self.maker[value] = node
            for value in node.inputs:
                root = self.root(value)
                self.last[root] = max(end, self.last.get(root, -1))
                self.final_reader[root] = node

    def _may_write(self, port: Port, value: Value) -> bool:
        """Whether ``value`` may be computed in the output's own buffer."""
        maker = self.maker[value]
        for other in self.graph.inputs:
            if not _same_buffer(other, port):
                continue
            if self.last.get(other.value, -1) > self.span[maker][0] and not (
                self.final_reader.get(other.value) is maker
            ):
                return False
            reads = [v for v in maker.inputs if self.root(v) is other.value]
            if any(not elementwise(maker, v, value) for v in reads):
                return False
        return True

    def _intervals(
        self, steps: Sequence[Step]
    ) -> tuple[list[Interval], dict[Value | Scratch, int], int]:
        slots: list[tuple[int, int, int]] = []  # nbytes, first, last
        sharing: dict[Value | Scratch, int] = {}
        total = 0
        for node in self.graph.nodes:
            for value in node.outputs:
                if value in self.places or value in self.roots:
                    continue
                nbytes = padded_nbytes(value.type)
                total += aligned(nbytes)
                slot = self._reusable(node, value, sharing)
                if slot is None:
                    slot = len(slots)
                    slots.append((nbytes, self.first[value], self.last[value]))
                else:
                    _, first, _ = slots[slot]
                    slots[slot] = (slots[slot][0], first, self.last[value])
                sharing[value] = slot
        for number, step in enumerate(steps):
            if not isinstance(step, Launch):
                continue
            for item in (*step.arguments, *step.outputs):
                if isinstance(item, Scratch):
                    slot = sharing.setdefault(item, len(slots))
                    if slot == len(slots):
                        total += aligned(item.nbytes)
                        slots.append((item.nbytes, number, number))
                    else:
                        slots[slot] = (item.nbytes, slots[slot][1], number)
        intervals = [Interval(i, *slot) for i, slot in enumerate(slots)]
        return intervals, sharing, total

    def _reusable(
        self, node: Node, value: Value, sharing: dict[Value | Scratch, int]
    ) -> int | None:
        """The slot of an input that dies here and that the output may overwrite."""
        taken = {sharing[v] for v in node.outputs if v in sharing}
        for operand in node.inputs:
            root = self.root(operand)
            slot = sharing.get(root)
            if (
                slot is not None
                and slot not in taken
                and self.final_reader.get(root) is node
                and self.last[root] == self.span[node][1]
                and padded_nbytes(root.type) == padded_nbytes(value.type)
                and elementwise(node, operand, value)
                and sum(self.root(v) is root for v in node.inputs) == 1
            ):
                return slot
        return None


def _same_buffer(input: Port, output: Port) -> bool:
    """Whether the runtime binds both ports to one buffer: cells, and blobs written in place."""
    if input.name != output.name:
        return False
    cells = (Role.PARAMETER, Role.STATE)
    if output.role in cells:
        return input.role in cells
    if output.role is Role.GRADIENT:
        return input.role is Role.GRADIENT
    return input.role in (Role.DATA, Role.SEED)


def elementwise(node: Node, operand: Value, result: Value) -> bool:
    """Whether each result element depends on the same element of the operand only."""
    op = node.op
    if not isinstance(op, Fused):
        return False
    body = op.body
    return operand.type.size == result.type.size and all(
        n.op.properties & (Property.POINTWISE | Property.VIEW)
        and all(v.type.size in (result.type.size, 1) or _small_input(body, v, operand, node)
                for v in n.inputs)
        for n in body.nodes
    )


def _small_input(body: Graph, value: Value, operand: Value, node: Node) -> bool:
    """A broadcast operand other than the one in question does no harm."""
    for port, outer in zip(body.inputs, node.inputs, strict=True):
        if port.value is value:
            return outer is not operand
    return False

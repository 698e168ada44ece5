"""Where the values of a loop's body lie in each turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

from ir.graph import Graph, Node, Value
from ir.ops.loop import StepLoop
from ir.types import TensorType

from .aliasing import view_roots
from .assignment import Assignment
from .plan import Moving, Ref

_PADDED = 16
"""Elements: a state begins at a multiple, and ends at one."""

NewBuffer = Callable[[str, TensorType], int]


class LoopPlaces:
    """Of the values of a body: memory of the graph around it, or memory of the loop.

    A part of a sliced operand, or of a stack, is where it lies in the whole. What is carried is
    read where the turn before made it: in the stack if it is kept of all steps, else in one of two
    places that take turns. The first turn reads it where the operand lies, and the last writes it
    where the result lies, if anybody reads that. All other values have one place for all turns.

    Args:
        numbers: of the buffers of the operands and results.
        read: values of the graph around that somebody reads.
        new: makes a buffer.
    """

    def __init__(
        self, node: Node, op: StepLoop, numbers: Sequence[int], read: Set[Value], new: NewBuffer
    ) -> None:
        self._op = op
        self._new = new
        self._assigned = Assignment(_without_shared(op))
        assert not self._assigned.copies, "each result has a place of its own"
        self._places: dict[int, Ref | Moving] = {}
        number = self._assigned.number
        operands, results = numbers[: len(node.inputs)], numbers[len(node.inputs) :]
        inputs = [port.value for port in op.body.inputs]
        made = [port.value for port in op.body.outputs]
        first, last = op.sliced, op.sliced + op.carried
        stacks = {
            number[value]: buffer
            for value, buffer in zip(made[op.carried :], results[op.carried :], strict=True)
        }
        for value, buffer in zip(inputs[:first], operands[:first], strict=True):
            self._places[number[value]] = self._part(buffer, value.type)
        for value in made[op.carried :]:
            self._places[number[value]] = self._part(stacks[number[value]], value.type)
        for value, buffer in zip(inputs[last:], operands[last:], strict=True):
            self._places[number[value]] = Ref(buffer)
        for i in range(op.carried):
            before, after = inputs[first + i], made[i]
            if number[after] in stacks:
                place = self._part(stacks[number[after]], after.type, late=1)
            else:
                place = self._turns(before, number[after], results[i], node.outputs[i] in read)
            self._places[number[before]] = replace(place, first=operands[first + i])

    def __getitem__(self, value: Value) -> Ref | Moving:
        number = self._assigned.number[value]
        if number not in self._places:
            buffer = self._assigned.buffers[number]
            self._places[number] = Ref(self._new(buffer.name, buffer.type))
        return self._places[number]

    def _part(self, buffer: int, type: TensorType, late: int = 0) -> Moving:
        """Of a tensor of all steps: that of the turn, or of so many turns before."""
        nbytes, steps = type.nbytes, self._op.order
        return Moving(buffer, nbytes * (steps[0] - steps.step * late), nbytes * steps.step, nbytes)

    def _turns(self, before: Value, after: int, last: int, read: bool) -> Moving:
        """Two places, of which a turn reads one and writes the other."""
        type = before.type
        size = -(-type.size // _PADDED) * _PADDED
        both = self._new(f"%{before.name} in turns", TensorType((2, size), type.dtype))
        stride = size * type.dtype.itemsize
        written = Moving(both, 0, stride, stride, 2 * stride, last=last if read else None)
        self._places[after] = written
        return replace(written, start=stride, last=None)


def _without_shared(op: StepLoop) -> Graph:
    """The body without the results that are handed on where they lie in a stack."""
    roots = view_roots(op.body)
    stacks = op.body.outputs[op.carried :]
    stacked = {roots[port.value] for port in stacks}
    handed = [p for p in op.body.outputs[: op.carried] if roots[p.value] not in stacked]
    return replace(op.body, outputs=(*handed, *stacks))

"""Where the buffers of a plan lie once its ports are bound."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.plan.plan import Plan
from ir.ports import PortKey, Role
from runtime.memory.buffers import Buffer


class Placement:
    """Memory by number of a buffer, and the copies that finish a run.

    The plan assumes that only variables are read and written under one name. A caller may bind
    other ports to one buffer as well (a blob written in place): such an output gets memory of its
    own, and a last copy into the shared buffer.

    Attributes:
        copies: (source, port's buffer), after all steps.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self._offsets = plan.memory.offsets
        self._bound = {port.buffer: inputs[port.key] for port in plan.inputs}
        self.copies: list[tuple[Buffer, Buffer]] = []
        read = [b for key, b in inputs.items() if key.role is not Role.GRADIENT]
        for port in plan.outputs:
            if port.buffer in self._bound:
                continue  # a variable
            buffer = target = outputs[port.key]
            late = port.role in (Role.RESULT, Role.SAVED)
            if late and any(_overlap(target, b) for b in read):
                buffer = Buffer(target.type)
                self.copies.append((buffer, target))
            self._bound[port.buffer] = buffer

    def __getitem__(self, number: int) -> Buffer | int:
        """A buffer that was bound, or where one starts in the arena."""
        bound = self._bound.get(number)
        if bound is not None:
            return bound
        offset = self._offsets[number]
        assert offset is not None, "no step uses it"
        return offset


def _overlap(a: Buffer, b: Buffer) -> bool:
    if a.memory is not b.memory:
        return False
    first, second = sorted(((b.start, b.start + b.capacity), (a.start, a.start + a.capacity)))
    return second[0] < first[1]

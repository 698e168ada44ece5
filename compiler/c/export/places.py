"""Where each buffer of a plan lies once it is C: in the weights, the state, the arena, or with the
caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from compiler.plan.plan import Plan, PlanPort
from ir.graph import PortKey, Role

ALIGNED = 64  # bytes
PADDED = 16
"""Kernels may run over a count of elements rounded up to a multiple of this."""

Where = Literal["WEIGHTS", "STATE", "ARENA", "INPUT", "OUTPUT"]


@dataclass(frozen=True, slots=True)
class Place:
    """``at``: bytes from the begin of what is named; of inputs and outputs their number."""

    kind: Where
    at: int


class CPlaces:
    """Of the buffers of a plan.

    Attributes:
        inputs, outputs: what the caller gives and takes, in order.
        weights: all that is in the file of weights, and where: first what is only read, then, from
            ``state_at`` on, what the state is at first.
        arena: its bytes.
        taken, given: buffers that are copied from the caller's memory first, and to it at the end:
            kernels work on whole vectors, and the caller's memory ends within one; the steps of a
            loop begin inside of it.
    """

    def __init__(self, plan: Plan, arrays: Mapping[PortKey, np.ndarray]) -> None:
        self._plan = plan
        self._bound: dict[int, Place] = {}
        self.inputs = [port for port in plan.inputs if port.role is Role.DATA]
        self.outputs = [port for port in plan.outputs if port.role is Role.RESULT]
        self.weights: list[tuple[int, np.ndarray]] = []
        written = {port.buffer for port in plan.outputs} | {b for s in plan.steps for b in s.writes}
        variables = [port for port in plan.inputs if port.role is not Role.DATA]
        kept = sorted(variables, key=lambda port: port.buffer in written)
        self.nbytes = 0
        self.state_at: int | None = None
        for port in kept:
            self._add(port, arrays[port.key], port.buffer in written)
        self.nbytes = rounded(self.nbytes)
        if self.state_at is None:
            self.state_at = self.nbytes
        self.arena = rounded(plan.memory.nbytes)
        self.taken = self._callers("INPUT", self.inputs)
        self.given = self._callers("OUTPUT", self.outputs)

    def _callers(self, kind: Where, ports: Sequence[PlanPort]) -> list[tuple[int, Place]]:
        """Bind buffers to the caller's memory, or, where kernels would leave that, to the arena."""
        copied = []
        parts = {b for repeat in self._plan.repeats for b in repeat.moving}
        for number, port in enumerate(ports):
            type, place = self._plan.buffers[port.buffer].type, Place(kind, number)
            if type.size % PADDED or port.buffer in parts:
                copied.append((port.buffer, place))
                place = Place("ARENA", self.arena)
                self.arena += rounded(type.nbytes)
            self._bound[port.buffer] = place
        return copied

    def _add(self, port: PlanPort, array: np.ndarray, state: bool) -> None:
        if port.buffer in self._bound:
            return
        start = rounded(self.nbytes)
        if state and self.state_at is None:
            self.state_at = start
        self.nbytes = start + self._plan.buffers[port.buffer].type.nbytes
        assert array.nbytes <= self.nbytes - start
        self.weights.append((start, array))
        at = start - (self.state_at or 0) if state else start
        self._bound[port.buffer] = Place("STATE" if state else "WEIGHTS", at)

    def named(self, buffer: int) -> str:
        """What a buffer is called: after the value that is in it first."""
        return self._plan.buffers[buffer].name.removeprefix("%")

    def __getitem__(self, buffer: int) -> Place:
        found = self._bound.get(buffer)
        if found is not None:
            return found
        offset = self._plan.memory.offsets[buffer]
        assert offset is not None, "no step uses it"
        return Place("ARENA", offset)


def rounded(nbytes: int) -> int:
    return -(-nbytes // ALIGNED) * ALIGNED

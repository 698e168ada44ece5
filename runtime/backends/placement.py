"""Where the values of a compiled graph lie once its ports are bound to buffers."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.compiled import CompiledGraph
from compiler.kernel import Scratch
from compiler.plan.memory import Copy, InArena
from ir.graph import PortKey, Role, Value

from ..memory.buffers import Buffer

Region = Buffer | InArena


class Placement:
    """Regions of values, and the copies that finish a run.

    The plan assumes that only variables are read and written under one name. A caller may bind
    other ports to one buffer as well (a blob written in place): such an output gets memory of its
    own, and a last copy into the shared buffer.

    Attributes:
        copies: (source, port's buffer) in order, after all launches.
    """

    def __init__(
        self,
        compiled: CompiledGraph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self._plan = compiled.memory
        self._inputs = inputs
        self._outputs = dict(outputs)
        read = [b for key, b in inputs.items() if key.role is not Role.GRADIENT]
        late: list[tuple[Buffer, Buffer]] = []
        for port in compiled.graph.outputs:
            key = port.key
            target = outputs[key]
            if port.role in (Role.RESULT, Role.SAVED) and any(_overlap(target, b) for b in read):
                own = Buffer(target.type)
                self._outputs[key] = own
                late.append((own, target))
        self.copies: list[tuple[Region, Buffer]] = [
            (self.region(copy.value), self._target(copy)) for copy in self._plan.copies
        ]
        self.copies += late

    def region(self, item: Value | Scratch) -> Region:
        """The buffer or the part of the arena that holds a value or temporary."""
        if isinstance(item, Scratch):
            return self._plan.scratch[item.number]
        place = self._plan.places[item]
        if isinstance(place, InArena):
            return place
        bound = self._outputs if place.is_output else self._inputs
        return bound[place.port.key]

    def _target(self, copy: Copy) -> Buffer:
        return self._outputs[copy.port.key]


def _overlap(a: Buffer, b: Buffer) -> bool:
    if a.memory is not b.memory:
        return False
    first, second = sorted(((b.start, b.start + b.capacity), (a.start, a.start + a.capacity)))
    return second[0] < first[1]

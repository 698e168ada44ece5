"""A compiled graph as an artifact stores it: every port becomes a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.binary import Binary
from compiler.compiled import CompiledGraph, HostStep
from compiler.kernel import Config, Kernel, Scratch
from compiler.plan.memory import InArena
from ir.errors import RoasteryError
from ir.graph import Port, PortKey, Role, Value
from runtime.memory.buffers import padded_size

from .manifest import Tensor
from .plan import ARENA, WEIGHT, LaunchPlan, StoredAllocation, StoredCopy
from .writer import store_launches

_ALIGNMENT = 256  # bytes, of inputs and outputs
_VARIABLES = (Role.PARAMETER, Role.STATE)


@dataclass(frozen=True, slots=True)
class StoredGraph:
    """What :func:`runtime.artifact.write_artifact` takes of a compiled graph."""

    plan: LaunchPlan
    sources: dict[str, str]
    memory: dict[str, Any]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def store_graph(
    compiled: CompiledGraph, binaries: Callable[[Kernel, Config], Sequence[Binary]]
) -> StoredGraph:
    """Inputs and outputs are laid behind the arena; variables are weights of their names.

    Raises :class:`RoasteryError` for what only the process that compiled it can run.
    """
    for step in compiled.steps:
        if isinstance(step, HostStep):
            raise RoasteryError(
                f"'{step.node.op.name}' runs on the host and cannot be exported for a GPU",
                location=step.node.location,
            )
    layout = _Layout(compiled)
    kernels, steps, sources = store_launches(compiled.launches, layout.place, binaries)
    copies = [
        StoredCopy(layout.place(copy.value), layout.port(copy.port, "output"), nbytes)
        for copy in compiled.memory.copies
        if (nbytes := copy.value.type.nbytes)
    ]
    graph = compiled.graph
    inputs = [port for port in graph.inputs if port.role is Role.DATA]
    outputs = [port for port in graph.outputs if port.role is Role.RESULT]
    plan = LaunchPlan(
        arena_bytes=layout.nbytes,
        kernels=kernels,
        steps=(*steps, *copies),
        inputs=tuple((port.name, layout.port(port, "input")) for port in inputs),
        outputs=tuple((port.name, layout.port(port, "output")) for port in outputs),
    )
    return StoredGraph(
        plan,
        sources,
        layout.describe(),
        tuple(Tensor(port.name, port.value.type) for port in inputs),
        tuple(Tensor(port.name, port.value.type) for port in outputs),
    )


class _Layout:
    """Places of values: the compiler's arena first, then inputs, then outputs."""

    def __init__(self, compiled: CompiledGraph) -> None:
        self._memory = compiled.memory
        self._ports: dict[tuple[str, PortKey], StoredAllocation] = {}
        self.nbytes = _up(compiled.memory.peak)
        for side, ports in (("input", compiled.graph.inputs), ("output", compiled.graph.outputs)):
            for port in ports:
                self._add(side, port)

    def _add(self, side: str, port: Port) -> None:
        if port.role in _VARIABLES:
            place = StoredAllocation(WEIGHT, 0, port.name)
        elif port.role is (Role.DATA if side == "input" else Role.RESULT):
            place = StoredAllocation(ARENA, self.nbytes)
            type = port.value.type
            self.nbytes += _up(padded_size(type.size) * type.dtype.itemsize)
        else:
            raise RoasteryError(f"{side} '{port.name}' ({port.role.value}) cannot be exported")
        self._ports[side, port.key] = place

    def port(self, port: Port, side: str) -> StoredAllocation:
        return self._ports[side, port.key]

    def place(self, item: Value | Scratch) -> StoredAllocation:
        if isinstance(item, Scratch):
            return StoredAllocation(ARENA, self._memory.scratch[item.number].offset)
        found = self._memory.places[item]
        if isinstance(found, InArena):
            return StoredAllocation(ARENA, found.offset)
        return self.port(found.port, "output" if found.is_output else "input")

    def describe(self) -> dict[str, Any]:
        """The memory plan for people, in bytes."""
        return {
            "arena": self._memory.peak,
            "arena_without_sharing": self._memory.total,
            "arena_lower_bound": self._memory.bound,
            "with_inputs_and_outputs": self.nbytes,
            "values": [
                {"name": value.name, "type": str(value.type), "offset": place.offset}
                for value, place in self._memory.places.items()
                if isinstance(place, InArena)
            ],
        }


def _up(nbytes: int) -> int:
    return -(-nbytes // _ALIGNMENT) * _ALIGNMENT

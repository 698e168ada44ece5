"""Plans of format 1: every argument was a place, in an arena with inputs and outputs behind the
values, or in a weight. Buffers had no sizes, and kernels no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.kernel import Config, Kernel, Parameter
from compiler.plan.codec import from_json
from compiler.plan.plan import (
    ArenaLayout,
    Copy,
    Plan,
    PlanBuffer,
    PlanLaunch,
    PlanPort,
    Ref,
    Step,
)
from ir.graph import Role
from ir.types import BOOL, TensorType

from .code import Code, ReadMember, read_binaries
from .manifest import Manifest

_Place = tuple[str, int] | tuple[str, int, str]
"""``("arena", offset)`` or ``("weight", offset, name)``."""


@dataclass(frozen=True, slots=True)
class _Kernel:
    source: str
    kinds: tuple[str, ...]
    constants: tuple[tuple[str, int], ...]
    binaries: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Launch:
    kernel: int
    label: str
    location: str
    grid: tuple[int, int, int]
    arguments: tuple[_Place | int | float, ...]


@dataclass(frozen=True, slots=True)
class _Copy:
    copy: _Place
    to: _Place
    nbytes: int


@dataclass(frozen=True, slots=True)
class _Plan:
    arena_bytes: int
    inputs: dict[str, _Place]
    outputs: dict[str, _Place]
    kernels: tuple[_Kernel, ...]
    steps: tuple[_Launch | _Copy, ...]


def read_version1(
    data: Any, manifest: Manifest, weights: Mapping[str, TensorType], read: ReadMember
) -> tuple[Plan, Code]:
    """The plan that does the same, and its code. Raises ValueError.

    Nothing said which weights are written: all of them may be.
    """
    old: _Plan = from_json(_Plan, data, "plan")
    buffers = _Buffers(old.arena_bytes)
    states = [
        buffers.port(Role.STATE, name, type, ("weight", 0, name)) for name, type in weights.items()
    ]
    ports = []
    for role, tensors, places in (
        (Role.DATA, manifest.inputs, old.inputs),
        (Role.RESULT, manifest.outputs, old.outputs),
    ):
        if lost := [t.name for t in tensors if t.name not in places]:
            raise ValueError(f"the plan has no {role.value} {lost[0]!r}")
        found = [buffers.port(role, t.name, t.type, places[t.name]) for t in tensors]
        ports.append((*found, *states))
    kernels = [_kernel(kernel, read) for kernel in old.kernels]
    configs = [Config(kernel.constants) for kernel in old.kernels]
    steps = tuple(_step(step, buffers, configs) for step in old.steps)
    layout = ArenaLayout(tuple(buffers.offsets), old.arena_bytes)
    plan = Plan(
        manifest.name, tuple(kernels), tuple(buffers.buffers), ports[0], ports[1], steps, layout
    )
    code = {
        (number, config): read_binaries(old.kernels[number].binaries, kernels[number], read)
        for number, config in enumerate(configs)
    }
    return plan, code


class _Buffers:
    """A buffer for every place. What lies in the arena may be as large as the rest of it."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._numbers: dict[_Place, int] = {}
        self.buffers: list[PlanBuffer] = []
        self.offsets: list[int | None] = []

    def port(self, role: Role, name: str, type: TensorType, place: _Place) -> PlanPort:
        return PlanPort(role, name, self._add(place, PlanBuffer(name, type), None))

    def at(self, place: _Place) -> int:
        if place in self._numbers:
            return self._numbers[place]
        if place[0] != "arena" or not 0 <= place[1] <= self._room:
            raise ValueError(f"{place!r:.80} is no place")
        rest = TensorType((self._room - place[1],), BOOL)
        return self._add(place, PlanBuffer(f"arena {place[1]}", rest), place[1])

    def _add(self, place: _Place, buffer: PlanBuffer, offset: int | None) -> int:
        if place[0] not in ("arena", "weight"):
            raise ValueError(f"{place!r:.80} is no place")
        self._numbers[place] = len(self.buffers)
        self.buffers.append(buffer)
        self.offsets.append(offset)
        return self._numbers[place]


def _step(step: _Launch | _Copy, buffers: _Buffers, configs: Sequence[Config]) -> Step:
    if isinstance(step, _Copy):
        return Copy(buffers.at(step.copy), buffers.at(step.to), step.nbytes)
    arguments = tuple(Ref(buffers.at(a)) if isinstance(a, tuple) else a for a in step.arguments)
    written = tuple(dict.fromkeys(a.buffer for a in arguments if isinstance(a, Ref)))
    if not 0 <= step.kernel < len(configs):
        raise ValueError(f"the kernel is {step.kernel}; there are {len(configs)}")
    config = configs[step.kernel]
    return PlanLaunch(step.kernel, config, arguments, step.grid, written, step.label, step.location)


def _kernel(kernel: _Kernel, read: ReadMember) -> Kernel:
    parameters = tuple(Parameter(f"p{number}", kind) for number, kind in enumerate(kernel.kinds))
    entry = str(kernel.binaries[0].get("entry", "")) if kernel.binaries else ""
    return Kernel(entry, read(kernel.source).decode(errors="replace"), parameters)

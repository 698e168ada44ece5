"""What a schedule is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from compiler.kernel import WIDE, Config, Scratch
from compiler.options import CompileOptions
from ir.graph import Graph, Node, Port, Value

from .builder import KernelBuilder
from .choice import Choice, Heuristic
from .emitter import Emit, Emitter
from .nodes import KernelBody

AsNumber = Callable[[int], int]
"""What a size is at the sizes that a kernel is chosen for."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One Fused node to schedule: its body, the buffers around it."""

    node: Node
    label: str
    schedule: str
    body: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    options: CompileOptions
    heuristic: Heuristic
    number: AsNumber
    schedules: Mapping[str, Schedule]

    @property
    def ports(self) -> list[tuple[Port, Value]]:
        """The body's outputs, and the buffers that they are written to."""
        return list(zip(self.body.outputs, self.outputs, strict=True))

    def builder(self) -> KernelBuilder:
        """For one of its kernels."""
        values = (*self.inputs, *self.outputs)
        wide = any(self.number(v.type.memory_size) >= WIDE for v in values)
        return KernelBuilder(wide, self.number)

    def emitter(self, rank: int, given: dict[Value, Emit] | None = None) -> Emitter:
        """Likewise, which writes what its body computes."""
        return Emitter(self.body, self.inputs, self.builder(), rank, given)

    def kernel(
        self,
        builder: KernelBuilder,
        name: str,
        tile: tuple[str, ...],
        config: Config,
        grid: tuple[int, int],
        why: str,
        suffix: str = "",
        partials: Sequence[Scratch] = (),
    ) -> KernelBody:
        """What was built. It writes the task's results, or ``partials`` where there are some."""
        writes = (*partials,) or self.outputs
        body, wide = builder.finish(), builder.wide
        return KernelBody(name, body, tile, config, (*grid, 1), writes, why, suffix, wide)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The ways to do a task, the best first, and what does it."""

    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]


Schedule = Callable[[Task], Scheduled]

"""What a schedule is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from compiler.kernel import WIDE, Config, Scratch
from compiler.options import CompileOptions
from ir.graph import Graph, Node, Port, Value
from ir.ops.fusion import Fused, InWhole, whole_size

from .builder import KernelBuilder
from .choice import Choice, Heuristic
from .emitter import Emit, Emitter
from .nodes import KernelBody

AsNumber = Callable[[int], int]
"""What a size is at the sizes that a kernel is chosen for."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One fused node to schedule, and the body of its ``op`` as a schedule may have rewritten it.

    ``given``: values that are not computed from their inputs, but written so.
    """

    node: Node
    op: Fused
    body: Graph
    options: CompileOptions
    heuristic: Heuristic
    number: AsNumber
    schedules: Mapping[str, Schedule]
    given: Mapping[Value, Emit] = field(default_factory=dict)

    @property
    def ports(self) -> list[tuple[Port, Value]]:
        """The body's outputs, and the buffers that they are written to."""
        return list(zip(self.body.outputs, self.node.outputs, strict=True))

    @property
    def _values(self) -> tuple[Value, ...]:
        return (*self.node.inputs, *self.node.outputs)

    @property
    def wide(self) -> bool:
        """Whether indices need 64 bits."""
        places = self.op.places
        sizes = (
            whole_size(value.type, places.get(number, ()))
            for number, value in enumerate(self._values)
        )
        return any(self.number(size) >= WIDE for size in sizes)

    @property
    def tight(self) -> frozenset[Value]:
        """Operands and results that nothing fills up, and that begin at any element."""
        return frozenset(self._values[number] for number in self.op.tight)

    @property
    def places(self) -> Mapping[Value, tuple[InWhole, ...]]:
        """Of the body's inputs and outputs that lie in larger tensors, where they do."""
        inner = [port.value for port in (*self.body.inputs, *self.body.outputs)]
        return {inner[number]: found for number, found in self.op.places.items()}

    def is_filled_up(self, size: int) -> bool:
        """Whether all operands and results of so many elements are followed by memory that is
        theirs, up to a multiple of 16 elements."""
        parts = (self._values[number] for number in self.op.places)
        return all(v.type.memory_size != size for v in (*self.tight, *parts))

    def builder(self, apart: bool = False) -> KernelBuilder:
        """For one of its kernels."""
        return KernelBuilder(self.wide, self.heuristic.unrolled, self.tight, apart)

    def emitter(self, rank: int, apart: bool = False) -> Emitter:
        """Likewise, which writes what its body computes."""
        builder = self.builder(apart)
        return Emitter(self.body, self.node.inputs, builder, rank, self.given, self.places)

    def kernel(
        self,
        builder: KernelBuilder,
        name: str,
        tile: tuple[str, ...],
        config: Config,
        grid: tuple[int, int],
        why: str,
        suffix: str = "",
        writes: Sequence[Value | Scratch] | None = None,
        light: Callable[[Config], KernelBody] | None = None,
    ) -> KernelBody:
        """What was built. It writes the task's results, unless it is told otherwise."""
        written = self.node.outputs if writes is None else tuple(writes)
        body, wide = builder.finish(), builder.wide
        return KernelBody(name, body, tile, config, (*grid, 1), written, why, suffix, wide, light)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The ways to do a task, the best first, and what does it."""

    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]


Schedule = Callable[[Task], Scheduled]

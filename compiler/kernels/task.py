"""What a schedule is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.options import CompileOptions
from ir.graph import Graph, Node, Value

from .builder import KernelBuilder
from .choice import Choice, Heuristic
from .nodes import KernelBody

# Elements of a tensor from which on indices have 64 bits (a tile may run past the end).
WIDE = 2**31 - 2**16


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

    def builder(self) -> KernelBuilder:
        """For one of its kernels."""
        values = (*self.inputs, *self.outputs)
        wide = any(self.number(v.type.memory_size) >= WIDE for v in values)
        return KernelBuilder(wide, self.number)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The ways to do a task, the best first, and what does it."""

    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]

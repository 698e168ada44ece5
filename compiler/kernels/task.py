"""What a schedule is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.options import CompileOptions
from ir.graph import Graph, Node, Value

from .builder import KernelBuilder
from .nodes import KernelBody

# Elements of a tensor from which on indices have 64 bits (a tile may run past the end).
WIDE = 2**31 - 2**16


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

    def builder(self) -> KernelBuilder:
        """For one of its kernels."""
        return KernelBuilder(any(v.type.size >= WIDE for v in (*self.inputs, *self.outputs)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do a task, in numbers."""

    tile: int = 0  # of the schedule's table
    splits: int = 1  # parts that the work of every result is in; a second kernel adds them up
    second: int = 0  # tile of that kernel


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A task and the ways to do it: the one that its schedule prefers, then all others."""

    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]


def preferring(best: int, count: int) -> list[int]:
    """Numbers of a table's tiles, ``best`` first."""
    return [best, *(i for i in range(count) if i != best)]

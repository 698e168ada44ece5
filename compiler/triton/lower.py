"""Fused groups to Triton kernels and their launches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.kernel import Launch
from compiler.kernels.choice import Choice
from compiler.kernels.launch import bound_launch
from compiler.kernels.nodes import KernelBody
from compiler.kernels.schedule import kernels_of, schedule_task, task_of
from compiler.kernels.task import AsNumber, Task
from compiler.options import CompileOptions
from ir.graph import Node
from ir.size import value_of

from .heuristics import GpuHeuristic
from .printer.file import canonical_file, readable_file


def lower_node(node: Node, options: CompileOptions, number: AsNumber = value_of) -> list[Launch]:
    """The launches that compute a :class:`Fused` node, in order; none when it is empty.

    ``number`` says what sizes are; by default what they are at hand.
    """
    ways = ways_of(node, options, number)
    return ways.launches(ways.choices[0])


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to compute a group, the best first."""

    task: Task
    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]

    def launches(self, choice: Choice) -> list[Launch]:
        made = kernels_of(self.task, self.kernels, choice)
        return [launch_of(self.task, kernel, again) for kernel, again in made]


def ways_of(node: Node, options: CompileOptions, number: AsNumber = value_of) -> Ways:
    task = task_of(node, options, GpuHeuristic(options.target.processors), number)
    scheduled = schedule_task(task)
    return Ways(task, scheduled.choices, scheduled.kernels)


def launch_of(task: Task, body: KernelBody, again: Callable[[], KernelBody]) -> Launch:
    """Print a kernel and bind its arguments. The readable text is left for later.

    ``again`` makes the kernel once more.
    """
    source, text = canonical_file(body)

    def readable() -> str:
        return readable_file(task, again())

    return bound_launch(task, body, text, body.name, source, readable)

"""Fused groups to Triton kernels and their launches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.kernel import Argument as Given
from compiler.kernel import Kernel, Launch, Parameter
from compiler.kernels.choice import Choice
from compiler.kernels.expressions import KernelArgument
from compiler.kernels.nodes import KernelBody
from compiler.kernels.schedule import schedule_task, task_of
from compiler.kernels.size import Size
from compiler.kernels.task import Task
from compiler.options import CompileOptions
from ir.graph import Node

from .heuristics import GpuHeuristic
from .printer.function import canonical_file
from .printer.render import readable_file


def lower_node(node: Node, options: CompileOptions) -> list[Launch]:
    """The launches that compute a :class:`Fused` node, in order; none when it is empty."""
    ways = ways_of(node, options)
    return ways.launches(ways.choices[0])


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to compute a group, the best first."""

    task: Task
    choices: Sequence[Choice]
    kernels: Callable[[Choice], list[KernelBody]]

    def launches(self, choice: Choice) -> list[Launch]:
        return [launch_of(self.task, kernel) for kernel in self.kernels(choice)]


def ways_of(node: Node, options: CompileOptions) -> Ways:
    task = task_of(node, options, GpuHeuristic(options.target.processors))
    scheduled = schedule_task(task)
    return Ways(task, scheduled.choices, scheduled.kernels)


def launch_of(task: Task, body: KernelBody) -> Launch:
    """Print a kernel and bind its arguments. The readable text is left for later."""
    source, text = canonical_file(body)
    kernel = Kernel(
        entry=body.name,
        source=source,
        parameters=tuple(_parameter(name, a, body.wide) for name, a in text.arguments),
        configs=(body.config,),
        readable=lambda: readable_file(task, body),
    )
    return Launch(
        kernel,
        0,
        tuple(_given(a) for _, a in text.arguments),
        body.grid,
        task.label + body.suffix,
        task.node.location,
        body.writes,
    )


def _parameter(name: str, argument: KernelArgument, wide: bool) -> Parameter:
    if argument.kind == "pointer":
        return Parameter(name, "pointer", argument.dtype, argument.divisible)
    if argument.kind == "size":
        return Parameter(name, "i64" if wide else "i32", None, argument.divisible)
    return Parameter(name, "f32" if argument.dtype.is_float else "i32")


def _given(argument: KernelArgument) -> Given:
    given = argument.given
    return given.value if isinstance(given, Size) else given

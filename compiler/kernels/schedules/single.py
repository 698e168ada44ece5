"""Ops that are printed alone, each by a kernel of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Node, Value
from ir.op import Op

from ..builder import KernelBuilder
from ..choice import Choice
from ..nodes import KernelBody
from ..task import Scheduled, Task

Build = Callable[[Task, Node, KernelBuilder, Config], KernelBody]
Before = Callable[[Task, Node, Config], Iterable[KernelBody]]


@dataclass(frozen=True, slots=True)
class Single:
    """An op's own kernel: ``build`` takes one of the configurations.

    ``before``: kernels that run first. ``lanes``: elements of a block have nothing to do with each
    other.
    """

    build: Build
    configs: tuple[Config, ...]
    length: Callable[[Node], int]  # of what a program walks along by its BLOCK
    before: Before
    lanes: bool


SINGLES: dict[type[Op], Single] = {}


def single(
    op: type[Op],
    length: Callable[[Node], int],
    *configs: Config,
    before: Before = lambda task, node, config: (),
    lanes: bool = False,
) -> Callable[[Build], Build]:
    """Decorator: register the kernel of an op that is printed alone."""

    def add(function: Build) -> Build:
        SINGLES[op] = Single(function, configs, length, before, lanes)
        return function

    return add


def schedule_single(task: Task, node: Node) -> Scheduled:
    if not {p.value for p in task.body.outputs} <= set(node.outputs):
        raise ValueError(f"{node.op.name} is printed alone")
    kernel = SINGLES[type(node.op)]

    def kernels(choice: Choice) -> list[KernelBody]:
        own = kernel.build(task, node, task.builder(), choice.config)
        return [*kernel.before(task, node, choice.config), own]

    configs = task.heuristic.single(kernel.configs, kernel.length(node), kernel.lanes)
    return Scheduled([Choice(config) for config in configs], kernels)


def pointer_to(task: Task, builder: KernelBuilder, value: Value) -> Expr:
    """To an input or a result of the node, which the group reads or hands out."""
    inputs = zip(task.body.inputs, task.node.inputs, strict=True)
    port, buffer = next(pair for pair in (*inputs, *task.ports) if pair[0].value is value)
    return builder.pointer(buffer, value.type.dtype, port.name)

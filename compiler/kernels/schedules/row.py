"""The row schedule: reductions over the channels that depend on each other, and what every
element becomes with their results (softmax: the maximum, the sum, the quotient) in one kernel.

A program owns some rows. Short ones are held as a whole: everything is read and computed once.
Long ones are walked through again for every level of dependence and once more for the results;
what earlier levels gave stays in registers, what is read again comes from the cache. The length
of a row is most often a channel count, thus a constant of the text; where it is a size that may
change, no row is held. Rows are never split over programs.
"""

from __future__ import annotations

from compiler.kernel import Config
from ir.graph import Graph, Node, Value
from ir.size import Size

from ..choice import Choice
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .reduction import Reduction, reduction_of
from .results import Results, everywhere


def levels_of(body: Graph, reduction: Reduction) -> list[list[Node]]:
    """The reductions, those first that need no other one's result."""
    depth: dict[Value, int] = {}
    found: dict[int, list[Node]] = {}
    for node in body.nodes:
        level = max((depth.get(v, 0) for v in node.inputs), default=0)
        if node in reduction.nodes:
            found.setdefault(level, []).append(node)
            level += 1
        depth.update((v, level) for v in node.outputs)
    return [found[level] for level in sorted(found)]


def schedule_row(task: Task) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.kind == "planes":
        raise ValueError(f"group {task.op.label} reduces axes that are no row: {reduction.axes}")
    configs = task.heuristic.row(reduction.at(task.number))
    if isinstance(reduction.count(reduction.axes), Size):
        configs = configs[-1:]  # which walks: the kernel is for rows of any length
    choices = [Choice(config) for config in configs]
    return Scheduled(choices, lambda choice: [_row_kernel(task, reduction, choice.config)])


def _row_kernel(task: Task, reduction: Reduction, config: Config) -> KernelBody:
    emitter = task.emitter(2)
    rows = Results(emitter, reduction, reduction.side)
    count, length = reduction.count(reduction.kept), reduction.count(reduction.axes)
    held = not isinstance(length, Size) and length <= config["AB"[reduction.walked[0][1]]]
    levels = levels_of(task.body, reduction)
    for nodes in levels:
        for node, values in zip(nodes, rows.reduce(nodes, held=held), strict=True):
            emitter.given[node.output] = everywhere(values[-1])
    whole = [(port, b) for port, b in task.ports if port.value.shape == reduction.shape]
    rows.store([pair for pair in task.ports if pair not in whole])
    if whole:
        with rows.walk(held=held) as (access, inside):
            guard = (*(bound() for bound in rows.base.bounds), *inside)
            for port, buffer in whole:
                index = emitter.place_of(port.value, access)
                emitter.store(buffer, port.name, index, emitter.emit(port.value, access), guard)
    name = "row" if reduction.kind == "rows" else "row_columns"
    why = "held as a whole" if held else f"read {len(levels) + bool(whole)} times"
    why = f"{count} rows of {length} elements, {why}"
    grid = (reduction.programs(config), 1)
    return task.kernel(emitter.builder, name, ("A", "B"), config, grid, why)

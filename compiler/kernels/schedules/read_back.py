"""A contraction with sums over its result, as two tasks: it, and reductions that read the result.

before: ``y = conv(x, w); s = reduce(y)``, one task that makes y and s
after:  ``y = conv(x, w)`` and, of a y in memory, ``s = reduce(y)``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Port, Role, Value
from ir.ops.fusion import Fused, summing_nodes

from ..choice import Choice
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .reduce import schedule_reduce


def parted(task: Task) -> tuple[Task, Task]:
    """The task without what reductions give, and the reductions, to which its results are given.

    Fusion sees to it that the results are all that they read of it.
    """
    body = task.body
    summed = {value for node in summing_nodes(body) for value in node.outputs}
    whole = [(p, v) for p, v in task.ports if p.value not in summed]
    small = [(p, v) for p, v in task.ports if p.value in summed]
    given = [Port(p.name, p.value, Role.DATA) for p, _ in whole]
    buffers = [v for _, v in whole]
    first = _task(task, body.inputs, task.node.inputs, whole)
    inputs = (*body.inputs, *given)
    return first, _task(task, inputs, (*task.node.inputs, *buffers), small)


def then_reduced(first: Scheduled, task: Task) -> Scheduled:
    """The ways to do a task, and then that of reductions in the best way."""
    reducing = schedule_reduce(task)

    def kernels(choice: Choice) -> list[KernelBody]:
        after = reducing.kernels(reducing.choices[0])
        after = [replace(body, suffix=body.suffix or ".reduce") for body in after]
        return [*first.kernels(choice), *after]

    return Scheduled(first.choices, kernels)


def _task(
    task: Task,
    inputs: Sequence[Port],
    buffers: Sequence[Value],
    outputs: Sequence[tuple[Port, Value]],
) -> Task:
    """As far as some outputs need it."""
    there = {port.value for port in inputs}
    needed = {port.value for port, _ in outputs} - there
    nodes = []
    for node in reversed(task.body.nodes):
        if not needed.isdisjoint(node.outputs):
            nodes.append(node)
            needed.update(v for v in node.inputs if v not in there)
    ports = tuple(port for port, _ in outputs)
    body = replace(task.body, inputs=tuple(inputs), nodes=tuple(reversed(nodes)), outputs=ports)
    results = tuple(value for _, value in outputs)
    values = (*buffers, *results)
    tight = tuple(i for i, v in enumerate(values) if v in task.tight)
    before = (*task.node.inputs, *task.node.outputs)
    places = ((i, task.op.places.get(before.index(v), ())) for i, v in enumerate(values))
    inside = tuple(n for i, found in places for place in found for n in (i, *place))
    op = Fused(task.op.label, task.op.schedule, body, tight, inside)
    node = replace(task.node, op=op, inputs=tuple(buffers), outputs=results)
    return replace(task, node=node, op=op, body=body)

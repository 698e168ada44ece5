"""Fused groups to kernels: which schedule a group takes."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.kernel import Config
from compiler.options import CompileOptions
from ir.graph import Node
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import DType

from . import rules  # noqa: F401  (registers what is written for each op)
from .choice import Choice, Heuristic
from .schedules.contract import schedule_contract
from .schedules.flat import schedule_flat
from .schedules.reduce import schedule_reduce
from .schedules.row import schedule_row
from .schedules.single import SINGLES, schedule_single
from .task import AsNumber, Schedule, Scheduled, Task

SCHEDULES: dict[str, Schedule] = {
    "flat": schedule_flat,
    "reduce": schedule_reduce,
    "row": schedule_row,
    "contract": schedule_contract,
}


def task_of(
    node: Node,
    options: CompileOptions,
    heuristic: Heuristic,
    number: AsNumber,
    own: Mapping[str, Schedule] | None = None,
) -> Task:
    """``own``: schedules that the target has in the place of others."""
    op = node.op
    if not isinstance(op, Fused):
        raise TypeError(f"kernels are made of fused groups, not of {op.name}")
    for value in (*node.inputs, *node.outputs):
        if value.type.dtype is DType.F64:
            raise TypeError(f"%{value.name} is f64; kernels compute in f32")
    schedules = {**SCHEDULES, **(own or {})}
    return Task(node, op, op.body, options, heuristic, number, schedules)


def schedule_task(task: Task) -> Scheduled:
    """The ways to compute a group: choices of tile and split, the best first."""
    if all(v.type.size == 0 for v in task.node.outputs):
        return Scheduled([Choice(Config(()))], lambda _: [])
    if task.op.schedule == "single":
        return _alone(task)
    if task.op.schedule not in task.schedules:
        raise ValueError(f"unknown schedule {task.op.schedule!r} of group {task.op.label}")
    return task.schedules[task.op.schedule](task)


def _alone(task: Task) -> Scheduled:
    """A group of one op: by the op's own kernel, or the schedule that suits what it says."""
    (node,) = task.body.nodes
    if type(node.op) in SINGLES:
        return schedule_single(task, node)
    if Property.CONTRACTION in node.op.properties:
        return task.schedules["contract"](task)
    if node.op.fold is not None:
        return task.schedules["reduce"](task)
    return task.schedules["flat"](task)

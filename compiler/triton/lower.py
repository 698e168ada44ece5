"""Fused groups to Triton kernels and their launches."""

from __future__ import annotations

from compiler.kernel import Launch
from compiler.options import CompileOptions
from ir.graph import Node
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import DType

from .printer import rules  # noqa: F401  (registers how ops are printed)
from .printer.contract import schedule_contract
from .printer.flat import schedule_flat
from .printer.kernels import Choice, Scheduled, Task
from .printer.reduce import schedule_reduce
from .printer.row import schedule_row
from .printer.single import SINGLES, schedule_single


def lower_node(node: Node, options: CompileOptions) -> list[Launch]:
    """The launches that compute a :class:`Fused` node, in order; none when it is empty."""
    scheduled = schedule_node(node, options)
    return scheduled.launches(scheduled.choices[0])


def schedule_node(node: Node, options: CompileOptions) -> Scheduled:
    """The ways to compute a :class:`Fused` node: choices of tile and split, the best first."""
    op = node.op
    if not isinstance(op, Fused):
        raise TypeError(f"the Triton backend prints fused groups, not {op.name}")
    for value in (*node.inputs, *node.outputs):
        if value.type.dtype is DType.F64:
            raise TypeError(f"%{value.name} is f64; kernels compute in f32")
    if all(v.type.size == 0 for v in node.outputs):
        return Scheduled([Choice()], lambda _: [])
    task = Task(node, op.label, op.schedule, op.body, node.inputs, node.outputs, options)
    if op.schedule == "single":
        return _alone(task)
    schedules = {
        "flat": schedule_flat,
        "reduce": schedule_reduce,
        "row": schedule_row,
        "contract": schedule_contract,
    }
    if op.schedule not in schedules:
        raise ValueError(f"unknown schedule {op.schedule!r} of group {op.label}")
    return schedules[op.schedule](task)


def _alone(task: Task) -> Scheduled:
    """A group of one op: by the op's own kernel, or the schedule that suits what it says."""
    (node,) = task.body.nodes
    if type(node.op) in SINGLES:
        return schedule_single(task, node)
    if Property.CONTRACTION in node.op.properties:
        return schedule_contract(task)
    if node.op.fold is not None:
        return schedule_reduce(task)
    return schedule_flat(task)

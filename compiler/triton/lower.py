"""Fused groups to Triton kernels and their launches."""

from __future__ import annotations

from compiler.kernel import Launch
from compiler.options import CompileOptions
from ir.graph import Node
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import DType

from .printer import movement, pointwise, windows  # noqa: F401  (they register their ops)
from .printer.contract import lower_contract
from .printer.flat import print_flat
from .printer.kernels import Task, make_launch
from .printer.reduce import lower_reduce
from .printer.row import lower_row
from .printer.single import SINGLES, lower_single


def lower_node(node: Node, options: CompileOptions) -> list[Launch]:
    """The launches that compute a :class:`Fused` node, in order; none when it is empty."""
    op = node.op
    if not isinstance(op, Fused):
        raise TypeError(f"the Triton backend prints fused groups, not {op.name}")
    for value in (*node.inputs, *node.outputs):
        if value.type.dtype is DType.F64:
            raise TypeError(f"%{value.name} is f64; kernels compute in f32")
    if all(v.type.size == 0 for v in node.outputs):
        return []
    task = Task(node, op.label, op.schedule, op.body, node.inputs, node.outputs, options)
    if op.schedule == "single":
        return _alone(task)
    schedules = {"reduce": lower_reduce, "row": lower_row, "contract": lower_contract}
    if op.schedule in schedules:
        return schedules[op.schedule](task)
    if op.schedule != "flat":
        raise ValueError(f"unknown schedule {op.schedule!r} of group {op.label}")
    return [make_launch(task, print_flat)]


def _alone(task: Task) -> list[Launch]:
    """A group of one op: by the op's own kernel, or the schedule that its properties ask for."""
    (node,) = task.body.nodes
    if type(node.op) in SINGLES:
        return lower_single(task, node)
    if Property.CONTRACTION in node.op.properties:
        return lower_contract(task)
    if Property.REDUCTION in node.op.properties:
        return lower_reduce(task)
    return [make_launch(task, print_flat)]

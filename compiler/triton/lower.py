"""Fused groups to Triton kernels and their launches."""

from __future__ import annotations

from compiler.kernel import Launch
from compiler.kernels.launch import Printed, Ways
from compiler.kernels.schedule import schedule_task, task_of
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from ir.graph import Node
from ir.size import value_of

from .heuristics import GpuHeuristic
from .printer.file import bundled_file, canonical_file, readable_file


def lower_node(
    node: Node,
    options: CompileOptions,
    number: AsNumber = value_of,
    known: Printed | None = None,
    *,
    keep: bool = False,
) -> list[Launch]:
    """The launches that compute a :class:`Fused` node.

    ``number`` says what sizes are; by default what they are at hand. ``keep``: the kernels' nodes.
    """
    return ways_of(node, options, number).launches(known=known, keep=keep)


def ways_of(node: Node, options: CompileOptions, number: AsNumber = value_of) -> Ways:
    task = task_of(node, options, GpuHeuristic(options.target), number)
    return Ways(task, schedule_task(task), canonical_file, readable_file, bundled_file)

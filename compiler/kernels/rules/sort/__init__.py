"""The largest elements of rows. A few are selected one after the other; of more it is found first
which they are, whatever their order, and then that is made."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.kernel import Config
from ir.graph import Node
from ir.ops.sort import TopK

from ...builder import KernelBuilder
from ...nodes import KernelBody
from ...schedules.single import single
from ...task import Task
from .one_thread import SortedRow
from .ranks import rank_kernel, take_kernel
from .rows import RowsToSort
from .selections import select_kernel

_SELECTIONS = 24  # by many lanes: from here on they are predicted to take longer


def _selects(task: Task, row: RowsToSort) -> bool:
    """Whether selections are faster."""
    k, length = task.number(row.k), task.number(row.length)
    if task.heuristic.one_thread:  # in what a selection takes for an element
        return k * length <= 1.75 * length + 20 * k + 1000
    return k <= _SELECTIONS


def _taken(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    row = RowsToSort(task, node, task.builder())
    if not task.heuristic.one_thread and not _selects(task, row):
        row.builder.place(node.location)
        yield take_kernel(row, config)


@single(
    TopK,
    lambda node: node.inputs[0].shape[-1],
    Config((("BLOCK", 256),), 4),
    Config((("BLOCK", 1024),), 4),
    before=_taken,
    lanes=True,
)
def top_k_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    builder.place(node.location)
    row = RowsToSort(task, node, builder)
    if _selects(task, row):
        return select_kernel(row, config)
    return SortedRow(row, config).kernel() if task.heuristic.one_thread else rank_kernel(row)

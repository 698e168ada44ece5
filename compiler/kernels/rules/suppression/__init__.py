"""Non-maximum suppression; :mod:`.boxes` has what its kernels share."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.kernel import Config
from ir.graph import Node
from ir.ops.suppression import NonMaximum

from ...builder import KernelBuilder
from ...nodes import KernelBody
from ...schedules.single import single
from ...task import Task
from .one_by_one import suppress_kernel
from .pairs import by_pairs, overlaps_kernel, scan_kernel


def _overlaps(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    if by_pairs(task, node):
        yield overlaps_kernel(task, node, config)


@single(
    NonMaximum,
    lambda node: node.inputs[0].shape[1],
    Config((("BLOCK", 128),), 4),
    Config((("BLOCK", 256),), 4),
    before=_overlaps,
    lanes=True,
)
def non_maximum_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """Of all pairs first, or one box after the other."""
    builder.place(node.location)
    if by_pairs(task, node):
        return scan_kernel(task, node, builder, config)
    return suppress_kernel(task, node, builder, config)

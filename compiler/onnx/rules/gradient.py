"""Ops that differ in their gradients from what they compute: a model has none."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.gradient import ClipDiff, DiffAs

from ..registry import expresses
from ..writer import Writer


@expresses(DiffAs)
def diff_as(writer: Writer, node: Node) -> list[str]:
    return [writer.of(node.inputs[0])]


@expresses(ClipDiff)
def clip_diff(writer: Writer, node: Node) -> list[str]:
    return [writer.of(node.inputs[0])]

"""Emission of ops that say what a gradient is: forward they hand on what they read."""

from __future__ import annotations

from ir.graph import Node
from ir.op import Op
from ir.ops.gradient import ClipDiff, DiffAs

from ..emitter import Access, Emission, Emitter, rule


@rule(ClipDiff, DiffAs)
def emit_operand(emitter: Emitter, node: Node, op: Op, number: int, at: Access) -> Emission:
    return (yield node.inputs[0], at)

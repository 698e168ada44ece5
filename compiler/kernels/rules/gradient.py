"""Emission of ops that say what a gradient is: forward they hand on what they read."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.gradient import DiffAs

from ..emitter import Access, Emission, Emitter, rule


@rule(DiffAs)
def emit_diff_as(emitter: Emitter, node: Node, op: DiffAs, number: int, at: Access) -> Emission:
    return (yield node.inputs[0], at)

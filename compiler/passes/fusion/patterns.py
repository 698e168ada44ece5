"""Which kernel family a node can be in."""

from __future__ import annotations

import enum

from ir.graph import Node
from ir.op import Property
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop


class OpPattern(enum.Enum):
    """Families of kernels, and what is no kernel."""

    FLAT = "flat"  # computed element by element: pointwise, movement, local
    REDUCE = "reduce"  # sums up or compares whole axes, which stay with extent 1
    CONTRACT = "contract"  # a product summed over an axis
    SINGLE = "single"  # has a kernel of its own
    VIEW = "view"  # a name for a buffer under another shape
    WHOLE = "whole"  # a name for a buffer that others lie in
    HOST = "host"  # runs on the host, or makes a size that only the run knows
    DONE = "done"  # fused before, or a loop around groups


def pattern_of(node: Node) -> OpPattern:
    properties = node.op.properties
    if isinstance(node.op, Fused | StepLoop):
        return OpPattern.DONE
    if properties & (Property.HOST | Property.DYNAMIC):
        return OpPattern.HOST
    if properties & Property.EFFECT:
        return OpPattern.SINGLE
    if properties & Property.VIEW:
        return OpPattern.VIEW
    if properties & Property.WHOLE:
        return OpPattern.WHOLE
    if properties & Property.CONTRACTION:
        return OpPattern.CONTRACT
    if properties & Property.REDUCTION:
        return OpPattern.SINGLE if node.op.fold is None else OpPattern.REDUCE
    if properties & (Property.POINTWISE | Property.MOVEMENT | Property.LOCAL):
        return OpPattern.FLAT
    return OpPattern.SINGLE

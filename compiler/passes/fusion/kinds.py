"""Which kernel family a node can be in."""

from __future__ import annotations

import enum

from ir.graph import Node
from ir.op import Property
from ir.ops.fusion import Fused


class Kind(enum.Enum):
    """Families of kernels, and what is no kernel."""

    FLAT = "flat"  # computed element by element: pointwise, movement, local
    REDUCE = "reduce"  # sums up or compares whole axes, which stay with extent 1
    CONTRACT = "contract"  # a product summed over an axis
    SINGLE = "single"  # has a kernel of its own
    VIEW = "view"  # a name for a buffer under another shape
    HOST = "host"  # runs on the host, or makes a size that only the run knows
    DONE = "done"  # fused before


def kind_of(node: Node) -> Kind:
    properties = node.op.properties
    if isinstance(node.op, Fused):
        return Kind.DONE
    if properties & (Property.HOST | Property.DYNAMIC):
        return Kind.HOST
    if properties & Property.EFFECT:
        return Kind.SINGLE
    if properties & Property.VIEW:
        return Kind.VIEW
    if properties & Property.CONTRACTION:
        return Kind.CONTRACT
    if properties & Property.REDUCTION:
        return Kind.SINGLE if node.op.fold is None else Kind.REDUCE
    if properties & (Property.POINTWISE | Property.MOVEMENT | Property.LOCAL):
        return Kind.FLAT
    return Kind.SINGLE

"""What fusion knows of a node: which kernel family it can be in, and what it costs."""

from __future__ import annotations

import enum

from ir import expr as e
from ir.graph import Node
from ir.op import Op, Property
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map


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
        return Kind.SINGLE if reduced_axes(node.op) is None else Kind.REDUCE
    if properties & (Property.POINTWISE | Property.MOVEMENT | Property.LOCAL):
        return Kind.FLAT
    return Kind.SINGLE


def reduced_axes(op: Op) -> tuple[int, ...] | None:
    """The axes a reduction sums up, if that is all it does."""
    axes = getattr(op, "axes", None)
    if axes is None and hasattr(op, "axis"):
        axes = (op.axis,)
    return axes


_EXPENSIVE = {"exp", "log", "log1p", "expm1", "sqrt", "tanh", "sigmoid", "pow", "div"}
_FREE = {"to_float", "to_int", "stop", "grad_as"}


def cost(node: Node) -> int:
    """Arithmetic per result element: 1 per simple operation, 4 per division or function of
    the exponential family, 40 per random number."""
    if not isinstance(node.op, Map):
        return 1
    total = 0
    for x in e.walk(*node.op.exprs):
        if not x.args or x.op in _FREE:
            continue
        total += 40 if x.op == "rand" else 4 if x.op in _EXPENSIVE else 1
    return total

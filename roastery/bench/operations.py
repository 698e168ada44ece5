"""How many operations groups take that are no multiply-adds of a contraction."""

from __future__ import annotations

import math
from collections.abc import Callable

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map
from ir.ops.reduction import Reduce
from ir.ops.window import WindowMax, WindowScatter, WindowSpread, WindowSum


def operations(node: Node, steps: Callable[[Expr], int]) -> int:
    """Of all elements, each computed once.

    Args:
        node: of plain numbers. steps: operations of a scalar expression without its operands.
    """
    op = node.op
    match op:
        case Fused():
            return sum(operations(inner, steps) for inner in op.body.nodes)
        case Map():
            return sum(map(steps, e.walk(*op.exprs))) * node.outputs[0].type.size
        case Reduce():
            return node.inputs[0].type.size
        case WindowSum() | WindowMax():
            return math.prod(op.window) * node.outputs[0].type.size
        case WindowSpread() | WindowScatter():
            windows = math.prod(-(-w // s) for w, s in zip(op.window, op.stride, strict=True))
            return windows * node.outputs[0].type.size
    return 0

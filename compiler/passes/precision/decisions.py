"""Which floats decide: whole numbers follow from them, as the place of the largest score does.

Two boxes that 16 bits make equal are in another order, or another one of them is left out. To
round what is compared is no small error of the result, it is another result. So is a place that
was stored as a float: from 256 on bfloat16 holds not every one.
"""

from __future__ import annotations

from collections.abc import Iterable

from ir.graph import Direction, Graph, Node, Value
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import I32

from ...plan.aliasing import WITHOUT_KERNEL

_COUNTING = Property.POINTWISE | Property.REDUCTION | Property.HOST


def deciding_values(graph: Graph) -> set[Value]:
    """The floats between kernels that forward's whole numbers (i32) follow from.

    As far back as there is a product: its factors are rounded, whatever becomes of the result.
    Places of a window's maximum, which tell backward where a diff goes, are no decision.
    """
    found: set[Value] = set()
    for node in reversed(graph.nodes):
        if isinstance(node.op, Fused):
            body = node.op.body
            ports = zip(node.outputs, body.outputs, strict=True)
            inside = _behind(body.nodes, {port.value for value, port in ports if value in found})
            pairs = zip(node.inputs, body.inputs, strict=True)
            found.update(value for value, port in pairs if port.value in inside)
        elif node.op.properties & WITHOUT_KERNEL or _decides(node):
            found |= _behind((node,), found)
    return found


def _behind(nodes: Iterable[Node], wanted: set[Value]) -> set[Value]:
    """The floats that ``wanted`` follows from, or a whole number that one of the nodes makes."""
    found = set(wanted)
    for node in reversed(tuple(nodes)):
        if node.op.properties & Property.CONTRACTION:
            continue
        if _decides(node) or not found.isdisjoint(node.outputs):
            found.update(v for v in node.inputs if v.type.dtype.is_float)
    return found


def _decides(node: Node) -> bool:
    """Whether a node makes whole numbers of floats."""
    properties = node.op.properties
    return (
        node.direction is Direction.FORWARD
        and bool(properties & _COUNTING)
        and not properties & Property.EFFECT
        and any(v.type.dtype is I32 for v in node.outputs)
        and any(v.type.dtype.is_float for v in node.inputs)
    )

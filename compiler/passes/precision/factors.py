"""Which inputs of a kernel are factors of its product."""

from __future__ import annotations

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.types import F32

MOVING = Property.MOVEMENT | Property.VIEW
"""Ops that give on what they take, whatever its type."""


def is_product(node: Node) -> bool:
    """Whether a node of a body multiplies matrices of f32, or of what is narrower already."""
    return bool(node.op.properties & Property.CONTRACTION)


def has_product(body: Graph) -> bool:
    return any(is_product(node) for node in body.nodes)


def factor_inputs(body: Graph) -> set[Value]:
    """The inputs that are factors of products, perhaps moved, and nothing else."""
    wide: set[Value] = {port.value for port in body.outputs}
    factors: set[Value] = set()
    for node in reversed(body.nodes):
        if is_product(node) or (
            node.op.properties & MOVING and not wide.intersection(node.outputs)
        ):
            factors.update(node.inputs)
        else:
            wide.update(node.inputs)
    found = {port.value for port in body.inputs if port.value.type.dtype is F32}
    return (found & factors) - wide

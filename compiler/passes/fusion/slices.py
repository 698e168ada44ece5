"""Slices that are read as fast as what they are slices of."""

from __future__ import annotations

from ir.graph import Node
from ir.op import Cut
from ir.size import Size
from ir.types import TensorType

VECTOR = 4
"""Elements that are read together: 16 bytes of f32."""


def in_whole_vectors(node: Node) -> bool:
    """Whether a node is a slice of which vectors are vectors of its operand."""
    cut = node.op.cut
    return cut is not None and cuts_whole_vectors(cut, node.inputs[0].type)


def cuts_whole_vectors(cut: Cut, type: TensorType) -> bool:
    """Whether a cut through a tensor is along another axis than that which memory has innermost, or
    begins and ends where vectors do."""
    layout = type.layout
    if layout is not None and any(part.block for part in layout.parts):
        return False
    if cut.axis != _innermost(type):
        return True
    numbers = (cut.start, cut.stop, type.shape[cut.axis])
    return not any(isinstance(n, Size) or n % VECTOR for n in numbers)


def _innermost(type: TensorType) -> int | None:
    """The axis along which memory has elements side by side."""
    order = range(type.rank) if type.layout is None else [part.axis for part in type.layout.parts]
    return next((a for a in reversed(order) if type.shape[a] != 1), None)

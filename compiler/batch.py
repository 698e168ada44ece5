"""Which tensors have the batch as their leading axis.

A batch of one looks like an axis that is 1 for every batch (a bias, a mean over the batch).
Fusion and printing must not take one for the other, or a net would have other kernels for a
single image than for many.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Graph, Node, Role, Value

_VARIABLES = frozenset({Role.PARAMETER, Role.STATE, Role.GRADIENT, Role.HYPER})
_MANY = 64  # stands for the batch where shapes of a batch of one are compared


def batched(inputs: Sequence[tuple[Value, Role]], nodes: Sequence[Node]) -> set[Value]:
    """The values whose leading axis grows with the batch."""
    found = {v for v, role in inputs if role not in _VARIABLES and v.type.rank}
    for node in nodes:
        given = [v in found for v in node.inputs]
        types = [v.type for v in node.inputs]
        found.update(v for v in node.outputs if v.type.rank and node.op.leads(given, types, v.type))
    return found


def batched_values(graph: Graph) -> set[Value]:
    """:func:`batched` of a graph."""
    return batched([(p.value, p.role) for p in graph.inputs], graph.nodes)


class ComparedShapes:
    """Shapes for comparisons: as they would be if a batch of one were larger."""

    def __init__(self, batched: set[Value]) -> None:
        self._batched = batched

    def of(self, value: Value) -> tuple[int, ...]:
        """The shape; a batch of one counts as many."""
        shape = value.shape
        single = shape[:1] == (1,) and value in self._batched
        return (_MANY, *shape[1:]) if single else shape

    def size(self, value: Value) -> int:
        """Elements; a batch of one counts as many."""
        single = value.shape[:1] == (1,) and value in self._batched
        return value.type.size * (_MANY if single else 1)

    def per_image(self, value: Value) -> int:
        """Elements, over the batch if the value leads with it."""
        if value not in self._batched:
            return value.type.size
        count = 1
        for extent in value.shape[1:]:
            count *= extent
        return count

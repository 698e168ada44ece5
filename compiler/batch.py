"""Which tensors have the batch as their leading axis.

A batch of one looks like an axis that is 1 for every batch (a bias, a mean over the batch).
Fusion and printing must not take one for the other, or a net would have other kernels for a
single image than for many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ir.graph import Graph, Node, Role, Value
from ir.op import Op
from ir.ops.convolution import ConvWeightGrad
from ir.ops.gather import Gather
from ir.ops.matmul import MatMul
from ir.ops.movement import Concat, Reshape, Slice, Transpose
from ir.ops.pointwise import Map
from ir.ops.reduction import ArgExtreme, Reduce

_CELLS = frozenset({Role.PARAMETER, Role.STATE, Role.GRADIENT, Role.HYPER})
_MANY = 64  # stands for the batch where shapes of a batch of one are compared

Follows = Callable[[Node, Sequence[bool]], bool]
"""Whether a node's results lead with the batch, from whether its inputs do."""


def batched(inputs: Sequence[tuple[Value, Role]], nodes: Sequence[Node]) -> set[Value]:
    """The values whose leading axis grows with the batch."""
    found = {v for v, role in inputs if role not in _CELLS and v.type.rank}
    for node in nodes:
        leads = _RULES.get(type(node.op), _alike)(node, [v in found for v in node.inputs])
        if leads:
            found.update(v for v in node.outputs if v.type.rank)
    return found


def batched_values(graph: Graph) -> set[Value]:
    """:func:`batched` of a graph."""
    return batched([(p.value, p.role) for p in graph.inputs], graph.nodes)


class Shapes:
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


def _alike(node: Node, leads: Sequence[bool]) -> bool:
    """Whether some input that leads with the batch has the leading extent of the result."""
    if not node.outputs:  # a file output
        return False
    first = node.outputs[0].shape[:1]
    return not leads or any(
        lead and v.shape[:1] == first for v, lead in zip(node.inputs, leads, strict=True)
    )


def _second(node: Node, leads: Sequence[bool]) -> bool:
    return leads[1]


def _never(node: Node, leads: Sequence[bool]) -> bool:
    return False


def _reduce(node: Node, leads: Sequence[bool]) -> bool:
    op = node.op
    axes = op.axes if isinstance(op, Reduce) else (op.axis,) if isinstance(op, ArgExtreme) else ()
    return leads[0] and 0 not in axes


def _reshape(node: Node, leads: Sequence[bool]) -> bool:
    before, after = node.inputs[0].shape, node.outputs[0].shape
    return leads[0] and bool(after) and (before[0] == 0 or after[0] % before[0] == 0)


def _transpose(node: Node, leads: Sequence[bool]) -> bool:
    op = node.op
    return leads[0] and isinstance(op, Transpose) and op.order[0] == 0


def _slice(node: Node, leads: Sequence[bool]) -> bool:
    # One of several steps of a sequence stays one step.
    op = node.op
    assert isinstance(op, Slice)
    return leads[0] and (op.axis != 0 or node.inputs[0].shape[0] == op.stop - op.start)


def _matmul(node: Node, leads: Sequence[bool]) -> bool:
    op = node.op
    assert isinstance(op, MatMul)
    return leads[0] and not (op.transpose_a and node.inputs[0].type.rank == 2)


_RULES: dict[type[Op], Follows] = {
    ArgExtreme: _reduce,
    Concat: lambda node, leads: any(leads),
    ConvWeightGrad: _never,
    Gather: _second,
    Map: _alike,
    MatMul: _matmul,
    Reduce: _reduce,
    Reshape: _reshape,
    Slice: _slice,
    Transpose: _transpose,
}

"""What simplify does with matrix products."""

from __future__ import annotations

from dataclasses import replace

from ir.graph import Node
from ir.ops.matmul import MatMul
from ir.ops.movement import Transpose

from ..rewrite import Context, Rewrite, simplifies


@simplifies(MatMul)
def absorb_transpose(node: Node, context: Context) -> Rewrite | None:
    """``matmul(transpose(a), b)`` -> ``matmul(a, b) transpose_a=true`` for the last two axes."""
    op = node.op
    assert isinstance(op, MatMul)
    flags = [op.transpose_a, op.transpose_b]
    inputs = list(node.inputs)
    for i, value in enumerate(node.inputs):
        made = context.producer(value)
        rank = value.type.rank
        swap = (*range(rank - 2), rank - 1, rank - 2)
        if isinstance(made, Transpose) and made.order == swap:
            flags[i] = not flags[i]
            inputs[i] = context.producers[value].inputs[0]
    if tuple(inputs) == node.inputs:
        return None
    return Rewrite((replace(node, op=MatMul(*flags), inputs=tuple(inputs)),))

"""Matrix products: with weights they see all; interpolations, whose matrix is known, see little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ir.graph import Node
from ir.ops.matmul import MatMul

from ..rule import Constants, seen_rule
from ..seen import Seen, seen_by_element, seen_folded, seen_windowed


@seen_rule(MatMul)
def see_multiplied(op: MatMul, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    shape = node.outputs[0].shape
    rank = len(shape)
    inner = rank - 2 if op.transpose_a else rank - 1, rank - 1 if op.transpose_b else rank - 2
    sides = []
    for number, seen in enumerate(operands):
        if not seen.depends:
            continue
        other, summed = node.inputs[1 - number], inner[number]
        if other in known:
            matrix = known[other].reshape(-1, *other.shape[-2:])
            if inner[1 - number] == rank - 1:
                matrix = matrix.swapaxes(1, 2)
            product = _interpolated(seen, summed, (matrix != 0).any(axis=0))
        else:
            product = seen_folded(seen, [summed])
        kept = product.axes[2 * rank - 3 - summed]
        made = product.axes[summed]
        last = (kept, made) if number == 0 else (made, kept)
        sides.append(replace(product, axes=(*product.axes[:-2], *last)).shaped(shape))
    return seen_by_element(shape, sides)


def _interpolated(seen: Seen, axis: int, used: np.ndarray) -> Seen:
    """After a product with a matrix [elements, results] that is known.

    Args:
        used: where it is not 0. An interpolation's columns have few such elements, side by side.
    """
    elements, results = used.shape
    columns = used.any(axis=0)
    if results == 1 or not columns.any():
        return seen_folded(seen, [axis])
    first = used.argmax(axis=0)[columns]
    last = elements - 1 - used[::-1].argmax(axis=0)[columns]
    reach = int((last - first).max())
    step = Fraction(elements, results)
    return seen_windowed(seen, axis, results, -int(first[0]), step, reach)

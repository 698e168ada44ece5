"""Windows: pooling, LRN, and what goes back to where a window found it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ir.graph import Node
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum

from ..rule import Constants, seen_rule
from ..seen import Seen, seen_by_element, seen_spread, seen_together, seen_windowed


@seen_rule(WindowSum, WindowMax, WindowPick)
def see_slid(
    op: WindowSum | WindowMax | WindowPick, node: Node, operands: Sequence[Seen], known: Constants
) -> Seen:
    shape, seen = node.outputs[0].shape, operands[0]
    for i, (k, s, low) in enumerate(zip(op.window, op.stride, op.low, strict=True)):
        if op.slides(i):
            seen = seen_windowed(seen, i, shape[i], low, Fraction(s), k - 1)
    return seen_together([seen, *operands[1:]], seen.axes)


@seen_rule(WindowSpread, WindowScatter)
def see_put_back(
    op: WindowSpread | WindowScatter, node: Node, operands: Sequence[Seen], known: Constants
) -> Seen:
    shape = node.outputs[0].shape
    seen = seen_by_element(node.inputs[0].shape, operands)
    for i, (k, s, low) in enumerate(zip(op.window, op.stride, op.low, strict=True)):
        if op.slides(i):
            seen = seen_spread(seen, i, shape[i], low, k - 1, s)
    return seen.shaped(shape)

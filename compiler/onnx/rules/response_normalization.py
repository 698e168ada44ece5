"""LRN across channels, which is no op of the IR."""

from __future__ import annotations

import numpy as np

from ir import expr as e
from ir.graph import Node
from ir.ops.pointwise import Map
from ir.ops.window import WindowSum
from ir.size import Size

from ..maps import only_expression
from ..patterns import Around, OneNode, pattern


@pattern(Map)
def response_normalization(around: Around, node: Node) -> OneNode | None:
    """x * (k + scale * (sum of squares along channels)) ** -beta: LRN."""
    root = only_expression(node)
    if root is None or root.op != "mul" or root.args[0].op != "arg" or root.args[1].op != "pow":
        return None
    base, power = root.args[1].args
    if power.op != "const" or base.op != "add" or base.args[1].op != "const":
        return None
    product, start = base.args
    if product.op != "mul" or product.args[0].op != "arg" or product.args[1].op != "const":
        return None
    x, sums = (node.inputs[int(a.value)] for a in (root.args[0], product.args[0]))
    inner = around.made_by(sums, WindowSum)
    if inner is None:
        return None
    op = inner.op
    assert isinstance(op, WindowSum)
    squares = around.made_by(inner.inputs[0], Map)
    if squares is None or squares.inputs[0] is not x or len(squares.inputs) != 1:
        return None
    element = e.arg(0, x.type.dtype)
    if only_expression(squares) is not element * element or x.type.rank < 3:
        return None
    size = op.window[1]
    plain = [d if i == 1 else 1 for i, d in enumerate(op.window)] == list(op.window)
    half = isinstance(size, int) and size % 2 == 1 and (size - 1) // 2
    if not plain or half is False or any(isinstance(d, Size) or d != 1 for d in op.stride):
        return None
    around_channels = [half if i == 1 else 0 for i in range(x.type.rank)]
    if list(op.low) != around_channels or list(op.high) != around_channels:
        return None
    if not around.only_read_by(sums, node) or not around.only_read_by(squares.output, inner):
        return None
    alpha = float(np.float32(product.args[1].value)) * size
    attributes = {"alpha": alpha, "beta": -float(power.value), "bias": float(start.value)}
    return OneNode(
        (squares, inner, node),
        lambda writer: [writer.node("LRN", [writer.of(x)], size=size, **attributes)],
        half=False,  # squares of activations are beyond its range
    )

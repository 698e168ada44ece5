"""A rule of simplify that is wrong on purpose; docs/debugging-passes.md finds where."""

from __future__ import annotations

from dataclasses import replace

from compiler.passes.rewrite import Context, Rewrite, simplifies
from ir import expr as e
from ir.graph import Node
from ir.ops.pointwise import Map


@simplifies(Map)
def leaky_max(node: Node, context: Context) -> Rewrite | None:
    """``where(x > 0, x, x * slope)`` becomes ``max(x, x * slope)``: not so for slopes above 1."""
    assert isinstance(node.op, Map)
    x = e.arg(0)
    root = node.op.exprs[0]
    if root.op != "where" or root.args[:2] != (x > 0.0, x):
        return None
    return Rewrite((replace(node, op=Map((e.maximum(x, root.args[2]),))),))

"""Expressions, element by element."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Node
from ir.ops.pointwise import Map

from ..rule import Constants, seen_rule
from ..seen import Seen, seen_by_element


@seen_rule(Map)
def see_mapped(op: Map, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    """Of what has the gradient of another expression the operands of that count: an element that
    data puts somewhere (unpooling by places) is looked for where it comes from."""
    read: set[int] = set()
    for expr in op.exprs:
        shown = expr.args[1] if expr.op == "grad_as" else expr
        read |= e.arguments(shown).keys()
    return seen_by_element(node.outputs[0].shape, [operands[i] for i in sorted(read)])

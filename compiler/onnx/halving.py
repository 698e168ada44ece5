"""Which nodes of a graph compute in float16, where that is asked for.

Not those whose numbers decide: whole numbers follow from them, as the place of the largest score
does. Nor those that add up many numbers, or take powers and logarithms of them: of such steps
float16 has neither the range nor the digits.
"""

from __future__ import annotations

from ir.expr import Expr, walk
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map
from ir.size import Real, Size
from ir.types import F32

from .patterns import OneNode
from .registry import HALVES

LARGEST, SMALLEST = 65504.0, 6.2e-5
"""Of float16, without what it has fewer digits of."""

_STEPS = {
    "arg", "const", "dyn", "add", "sub", "mul", "div", "max", "min", "neg", "abs", "where",
    "sigmoid", "tanh", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "stop", "grad_as",
    "expm1",
}  # fmt: skip
"""Of expressions that float16 is good enough for."""


def half_nodes(graph: Graph, matches: dict[Node, OneNode]) -> set[Node]:
    """Nodes, and all those of matches, that take and give float16 for float32."""
    deciding = _deciding_values(graph)
    halved: set[Value] = set()
    found: set[Node] = set()
    for node in graph.nodes:
        match = matches.get(node)
        if match is not None:
            suits = match.half
        else:
            suits = _suits(node, halved)
        if suits and deciding.isdisjoint(node.outputs) and _has_floats(node):
            found.add(node)
            halved.update(node.outputs)
    for match in set(matches.values()):
        if not found.issuperset(match.nodes):
            found -= set(match.nodes)
    return found


def _has_floats(node: Node) -> bool:
    values = (*node.inputs, *node.outputs)
    return any(v.type.dtype is F32 for v in node.outputs) and all(
        v.type.dtype is F32 or not v.type.dtype.is_float for v in values
    )


def _deciding_values(graph: Graph) -> set[Value]:
    """Floats that whole numbers follow from, as far back as there is a product."""
    read = {v for node in graph.nodes for v in node.inputs} | {p.value for p in graph.outputs}
    found: set[Value] = set()
    for node in reversed(graph.nodes):
        if node.op.properties & Property.CONTRACTION:
            continue
        decides = any(not v.type.dtype.is_float and v in read for v in node.outputs)
        if decides or not found.isdisjoint(node.outputs):
            found.update(v for v in node.inputs if v.type.dtype.is_float)
    return found


def _suits(node: Node, halved: set[Value]) -> bool:
    op = node.op
    if isinstance(op, Map):
        return all(map(_is_plain, op.exprs))
    if isinstance(op, StepLoop):
        return all(_suits(inner, set(inner.inputs)) for inner in op.body.nodes)
    if op.properties & Property.MOVEMENT:
        return any(v in halved for v in node.inputs)
    fold = op.fold
    if fold is not None:
        return fold.kind in ("max", "min") and not fold.tie
    return type(op) in HALVES


def _is_plain(root: Expr) -> bool:
    for step in walk(root):
        if step.op not in _STEPS or isinstance(step.value, Size | Real):
            return False
        if step.op in ("const", "dyn") and step.dtype.is_float:
            size = abs(float(step.value))
            if size and not SMALLEST <= size <= LARGEST:
                return False
    return True

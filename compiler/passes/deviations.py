"""Variances by one pass over what they are of."""

from __future__ import annotations

import math
from dataclasses import replace

from ir import expr as e
from ir.graph import Graph, Node, Value
from ir.op import DEVIATIONS, Op, channel_axis
from ir.ops.pointwise import Map
from ir.ops.reduction import Reduce
from ir.types import F32

from .bodies import in_bodies
from .context import UNBOUNDED, PassContext
from .rewrite import Context


@in_bodies
def sum_deviations(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Sum squared deviations from a mean where the mean is found, if the target is a GPU.

    Before::

        %sum: f32[1,64,1,1] = reduce(%x) kind="sum" axes=(0,2,3)
        %mean: f32[1,64,1,1] = map(%sum) {div(a0, $25088.0)}
        %squares: f32[8,64,56,56] = map(%x, %mean) {t0 = sub(a0, a1); mul(t0, t0)}
        %total: f32[1,64,1,1] = reduce(%squares) kind="sum" axes=(0,2,3)

    After (both are results of one kernel, which reads %x once)::

        %sum: f32[1,64,1,1] = reduce(%x) kind="sum" axes=(0,2,3)
        %mean: f32[1,64,1,1] = map(%sum) {div(a0, $25088.0)}
        %total: f32[1,64,1,1] = reduce(%x) kind="deviations" axes=(0,2,3)

    Rows of channels are read once as it is.
    """
    if context.options.target.kind != "cuda":
        return graph
    known = Context(graph)
    nodes = []
    for node in graph.nodes:
        known.producers.update(dict.fromkeys(node.outputs, node))
        found = _of_deviations(node, known)
        if found is not None and context.fuel.take("deviations: one pass for {}", node):
            node = found
        nodes.append(node)
    same = all(a is b for a, b in zip(nodes, graph.nodes, strict=True))
    return graph if same else replace(graph, nodes=tuple(nodes))


def _of_deviations(node: Node, known: Context) -> Node | None:
    """The node that sums deviations of a value, instead of one that sums their squares."""
    fold = node.op.fold
    if fold is None or fold.kind != "sum" or fold.axes == (channel_axis(node.output.type.rank),):
        return None
    squares = known.producers.get(node.inputs[0])
    if squares is None or not isinstance(squares.op, Map) or len(squares.inputs) != 2:
        return None
    for x, mean in ((0, 1), (1, 0)):
        away = e.arg(x) - e.arg(mean)
        if squares.op.exprs not in ((away * away,), (e.power(away, 2.0),)):
            continue
        value = squares.inputs[x]
        whole = value.shape == squares.output.shape
        if whole and _is_mean(squares.inputs[mean], value, node.op, known):
            return replace(node, op=Reduce(DEVIATIONS, fold.axes), inputs=(value,))
    return None


def _is_mean(mean: Value, value: Value, total: Op, known: Context) -> bool:
    """Whether it is the sum of a value, by the same reduction, divided by its elements."""
    node = known.producers.get(mean)
    if node is None or not isinstance(node.op, Map):
        return False
    expr = node.op.exprs[node.outputs.index(mean)]
    count = e.dyn(math.prod(value.shape[axis] for axis in total.reduced_axes), F32)
    for number, operand in enumerate(node.inputs):
        made = known.producers.get(operand)
        if made is not None and made.op == total and made.inputs == (value,):
            return expr == e.arg(number) / count
    return False

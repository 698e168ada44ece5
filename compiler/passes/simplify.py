"""Simplification: less to compute, the same results.

Rules (:mod:`.rules`) belong to the op they rewrite; everything general asks ops what they are.
"""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakSet

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map

from . import rules  # noqa: F401  (registers how ops are rewritten)
from .bodies import in_bodies
from .context import UNBOUNDED, PassContext
from .fuel import Fuel
from .loops import without_dead_steps
from .maps import map_of
from .rewrite import sweep

_MOST_SWEEPS = 6

#: Graphs in which nothing is left to simplify: another pass often changes nothing in them.
_SIMPLE: WeakSet[Graph] = WeakSet()


@in_bodies
def simplify(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Remove what is dead, computed twice, constant, or merely moved back and forth.

    Before::

        %zero: f32[2,3] = map() {0.0} shape=(2,3)
        %a: f32[2,3] = map(%x, %zero) {add(a0, a1)}
        %b: f32[2,3] = map(%a) {exp(a0)}
        %c: f32[2,3] = map(%a) {exp(a0)}
        output %c: f32[2,3] result

    After::

        %b: f32[2,3] = map(%x) {exp(a0)}
        output %b: f32[2,3] result "c"
    """
    for _ in range(_MOST_SWEEPS):
        before = graph
        if graph in _SIMPLE:
            return graph
        graph = sweep(remove_dead_code(graph, context), context.fuel)
        if graph is before:
            if context.fuel.limit is None:
                _SIMPLE.add(graph)
            break
    return remove_dead_code(graph, context)


@in_bodies
def remove_dead_code(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Drop what no output needs. Ops with effects stay, and so does what they read.

    Before: ``%a = map(%x) {exp(a0)}; %b, %c = map(%x) {neg(a0); abs(a0)}; output %c``
    After: ``%c = map(%x) {abs(a0)}; output %c``
    """
    fuel = context.fuel
    needed: set[Value] = {p.value for p in graph.outputs}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        dead = not any(v in needed for v in node.outputs) and not (
            node.op.properties & Property.EFFECT
        )
        if dead and fuel.take("remove_dead_code: {}", node):
            continue
        node = _without_dead_results(node, needed, fuel)
        needed.update(node.inputs)
        kept.append(node)
    if len(kept) == len(graph.nodes) and all(
        a is b for a, b in zip(reversed(kept), graph.nodes, strict=True)
    ):
        return graph
    return replace(graph, nodes=tuple(reversed(kept)))


def _without_dead_results(node: Node, needed: set[Value], fuel: Fuel) -> Node:
    if isinstance(node.op, StepLoop):
        less = without_dead_steps(node, node.op, needed)
        taken = less is not node and fuel.take("remove_dead_code: results of {}", node)
        return less if taken else node
    if not isinstance(node.op, Map):
        return node
    live = [(x, v) for x, v in zip(node.op.exprs, node.outputs, strict=True) if v in needed]
    if len(live) in (0, len(node.outputs)):
        return node
    if not fuel.take("remove_dead_code: results of {}", node):
        return node
    return map_of([x for x, _ in live], [v for _, v in live], node)

"""Loops: what of them nobody needs, and what kernels and plans need of them."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from ir import expr as e
from ir.graph import Graph, Node, Value
from ir.ops.loop import StepLoop
from ir.ops.movement import Reshape, Slice
from ir.ops.pointwise import Map
from ir.types import TensorType

from ..plan.aliasing import view_roots
from .bodies import with_bodies
from .rewrite import Context

PADDED = 16
"""Kernels may run over so many elements of a buffer together: its end is padded for them."""


def without_dead_steps(node: Node, op: StepLoop, needed: Set[Value]) -> Node:
    """A loop without the stacks that nobody reads, and what its body computes for them alone."""
    keep = [i < op.carried or v in needed for i, v in enumerate(node.outputs)]
    outputs = [port for port, kept in zip(op.body.outputs, keep, strict=True) if kept]
    read = {port.value for port in outputs}
    nodes: list[Node] = []
    for inner in reversed(op.body.nodes):
        if not read.isdisjoint(inner.outputs):
            read.update(inner.inputs)
            nodes.append(inner)
    carried = range(op.sliced, op.sliced + op.carried)
    used = [i in carried or port.value in read for i, port in enumerate(op.body.inputs)]
    if all(keep) and all(used) and len(nodes) == len(op.body.nodes):
        return node
    inputs = [port for port, u in zip(op.body.inputs, used, strict=True) if u]
    body = Graph(op.body.name, tuple(inputs), tuple(nodes[::-1]), tuple(outputs))
    return replace(
        node,
        op=replace(op, sliced=sum(used[: op.sliced]), body=body),
        inputs=tuple(v for v, u in zip(node.inputs, used, strict=True) if u),
        outputs=tuple(v for v, kept in zip(node.outputs, keep, strict=True) if kept),
    )


def with_own_results(graph: Graph) -> Graph:
    """The graph with loops whose results can be written where they belong as they are made.

    Before::

        %last, %all = loop(%x, %h) steps=9 sliced=1 carried=1 body=... {
          %new = ...
          output %new, output %new
        }

    After: %last is the last part of %all. A result of steps that is made nowhere in the body, or
    twice one of its results, is copied in it.
    """
    if not any(isinstance(node.op, StepLoop) for node in graph.nodes):
        return graph
    read = {v for node in graph.nodes for v in node.inputs} | {p.value for p in graph.outputs}
    names = Context(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        if not isinstance(node.op, StepLoop):
            nodes.append(node)
            continue
        nodes += _apart(node, node.op, read, names)
    made = replace(graph, nodes=tuple(nodes)) if nodes != [*graph.nodes] else graph
    return with_bodies(made, lambda node, body: _copied(node, body))


def _apart(node: Node, op: StepLoop, read: Set[Value], names: Context) -> Iterator[Node]:
    """A loop, and the last states that are in its stacks."""
    roots = view_roots(op.body)
    made = [roots[port.value] for port in op.body.outputs]
    own = {value for inner in op.body.nodes for value in inner.outputs}
    outputs, after = list(node.outputs), list[Node]()
    for number, value in enumerate(made[: op.carried]):
        last = node.outputs[number]
        if last not in read or value not in own or value not in made[op.carried :]:
            continue
        stack = node.outputs[made.index(value, op.carried)]
        end = op.order[-1]
        outputs[number] = names.fresh(f"{last.name}.unread", last.type)
        part = names.fresh(f"{last.name}.part", TensorType((1, *stack.shape[1:]), last.type.dtype))
        after += [
            replace(node, op=Slice(0, end, end + 1), inputs=(stack,), outputs=(part,)),
            replace(node, op=Reshape(last.shape), inputs=(part,), outputs=(last,)),
        ]
    yield replace(node, outputs=tuple(outputs)) if after else node
    yield from after


def _copied(node: Node, body: Graph) -> Graph:
    """Results that no node of the body makes for this result alone are copied."""
    op = node.op
    assert isinstance(op, StepLoop)
    roots = view_roots(body)
    taken = {port.value for port in body.inputs}
    names = Context(body)
    nodes, outputs = list(body.nodes), list(body.outputs)
    # Stacks first: what is carried may be read there.
    stacked = {roots[port.value] for port in outputs[op.carried :]} - taken
    for number in (*range(op.carried, len(outputs)), *range(op.carried)):
        value = outputs[number].value
        root = roots[value]
        shared = number < op.carried and root in stacked
        if root in taken and not shared:
            copy = names.fresh(f"{value.name}.copy", value.type)
            nodes.append(
                Node(
                    Map((e.arg(0, value.type.dtype),)),
                    (value,),
                    (copy,),
                    node.location,
                    node.direction,
                )
            )
            outputs[number] = replace(outputs[number], value=copy)
        taken.add(root)
        if shared:
            stacked.discard(root)
    if len(nodes) == len(body.nodes):
        return body
    return replace(body, nodes=tuple(nodes), outputs=tuple(outputs))


def tight_values(op: StepLoop) -> set[Value]:
    """Values of the body that lie as parts in a stack, so that nothing fills them up."""
    body = op.body
    roots = view_roots(body)
    made = [port.value for port in body.outputs]
    stacked = {roots[v] for v in made[op.carried :]}
    inside = {port.value for port in body.inputs[: op.sliced]} | stacked
    for number, value in enumerate(made[: op.carried]):
        if roots[value] in stacked:
            inside.add(body.inputs[op.sliced + number].value)
    return {v for v, root in roots.items() if root in inside and root.type.size % PADDED != 0}

"""Windows over images whose channels are put together in whole blocks."""

from __future__ import annotations

from dataclasses import replace

from ir.graph import Direction, Graph, Node, Value
from ir.op import channel_axis

from .context import PassContext
from .fusion.parted import is_parted, sums_over_channels
from .rewrite import Context


def part_windows(graph: Graph, context: PassContext) -> Graph:
    """Let windows slide over the parts, and put together what comes out: then nobody may be left
    who reads the parts together from memory.

    Before::

        %c: f32[1,128,56,56]{0,1,2,3,1:16} = concat(%a, %b) axis=1
        %y: f32[1,128,28,28]{0,1,2,3,1:16}, ... = window_max(%c) ...

    After::

        %y.part: f32[1,64,28,28]{0,1,2,3,1:16}, ... = window_max(%a) ...
        %y.part.1: f32[1,64,28,28]{0,1,2,3,1:16}, ... = window_max(%b) ...
        %y: f32[1,128,28,28]{0,1,2,3,1:16} = concat(%y.part, %y.part.1) axis=1
    """
    after = _parted_once(graph, context)
    while after is not graph:  # what comes out is put together for the next windows
        graph, after = after, _parted_once(after, context)
    return graph


def _parted_once(graph: Graph, context: PassContext) -> Graph:
    users, names = graph.users(), Context(graph)
    shown = {p.value for p in graph.outputs}
    parted: dict[Value, Node] = {}
    for node in graph.nodes:
        if is_parted(node) and node.output not in shown:
            readers = users.get(node.output, ())
            if all(
                _works_by_parts(r, shown, users) or sums_over_channels(r, node.output)
                for r in readers
            ):
                parted[node.output] = node
    nodes: list[Node] = []
    for node in graph.nodes:
        whole = parted.get(node.inputs[0]) if node.inputs else None
        window = whole is not None and _works_by_parts(node, shown, users)
        if whole and window and context.fuel.take("layout: parted {} as its operand is", node):
            nodes += _by_parts(node, whole, names)
        else:
            nodes.append(node)
    read = {v for node in nodes for v in node.inputs}
    gone = {n for v, n in parted.items() if v not in read}
    left = [n for n in nodes if n not in gone]
    return graph if left == list(graph.nodes) else replace(graph, nodes=tuple(left))


def _works_by_parts(node: Node, shown: set[Value], users: dict[Value, list[Node]]) -> bool:
    """Whether what is read of a forward node is made of some channels as of all."""
    if len(node.inputs) != 1 or node.direction is not Direction.FORWARD:
        return False
    axis = channel_axis(node.inputs[0].type.rank)
    if axis is None or not node.op.works_by_parts(axis):
        return False
    return not any(v in shown or users.get(v) for v in node.outputs[1:])


def _by_parts(node: Node, whole: Node, names: Context) -> list[Node]:
    made, parts = [], []
    for part in whole.inputs:
        types = node.op.infer([part.type.logical])
        layouts = (v.type.layout for v in node.outputs)
        results = tuple(
            names.fresh(f"{v.name}.part", replace(type, layout=layout))
            for v, type, layout in zip(node.outputs, types, layouts, strict=True)
        )
        made.append(replace(node, inputs=(part,), outputs=results))
        parts.append(results[0])
    together = Node(whole.op, tuple(parts), node.outputs[:1], node.location, node.direction)
    return [*made, together]

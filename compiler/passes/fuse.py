"""Fusion: every node becomes part of a kernel."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from ir.graph import Graph, Node, Port, Role, Value
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map

from .bodies import with_bodies
from .context import UNBOUNDED, PassContext
from .fusion.groups import Grouping
from .fusion.labels import KernelLabels
from .fusion.order import short_lived
from .fusion.patterns import OpPattern, pattern_of
from .fusion.rows import schedule_of
from .fusion.sums import results_read
from .loops import tight_values, with_own_results
from .maps import map_of

_WITHOUT_KERNEL = {OpPattern.VIEW, OpPattern.WHOLE, OpPattern.HOST, OpPattern.DONE}


def fuse(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Group nodes into kernels; afterwards every node is Fused, a view, or a host op.

    Before::

        %c: f32[8,16,9,9] = conv(%x, %w) ...                            # conv1
        %y: f32[8,16,9,9] = map(%c, %b) {max(add(a0, a1), 0.0)}         # relu1

    After::

        %y: f32[8,16,9,9] = fused(%x, %w, %b) label="conv1_relu1" schedule="contract" body=... {
          %c: f32[8,16,9,9] = conv(%x, %w) ...                          # conv1
          %y: f32[8,16,9,9] = map(%c, %b) {max(add(a0, a1), 0.0)}       # relu1
        }

    Forward, backward and update never share a kernel. Without fuel every node is a kernel.
    """
    return _fused(with_own_results(graph), context, KernelLabels(_labels(graph)))


def _labels(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if isinstance(node.op, Fused):
            yield node.op.label
        elif isinstance(node.op, StepLoop):
            yield from _labels(node.op.body)


def _fused(graph: Graph, context: PassContext, labels: KernelLabels) -> Graph:
    graph = with_bodies(graph, lambda node, body: _in_parts(node, _fused(body, context, labels)))
    if all(pattern_of(node) in _WITHOUT_KERNEL for node in graph.nodes):
        return graph
    nodes = tuple(_single_results(graph.nodes))
    on_gpu = context.options.target.kind == "cuda"
    grouping = Grouping(graph, nodes, context.fuel, on_gpu=on_gpu, sums=on_gpu)
    units = _ordered([_Unit(grouping, members) for members in grouping.groups()])
    read = {p.value for p in graph.outputs}
    for unit in units:
        read.update(unit.inputs)
    groups = short_lived(graph, [unit.node(read, labels) for unit in units])
    return Graph(graph.name, graph.inputs, groups, graph.outputs)


def _in_parts(node: Node, body: Graph) -> Graph:
    """The groups of a loop's body, told what of their operands and results is part of a stack."""
    assert isinstance(node.op, StepLoop)
    tight = tight_values(replace(node.op, body=body))
    nodes = tuple(_told(inner, tight) for inner in body.nodes)
    return body if nodes == body.nodes else replace(body, nodes=nodes)


def _told(node: Node, tight: Set[Value]) -> Node:
    if not isinstance(node.op, Fused) or tight.isdisjoint((*node.inputs, *node.outputs)):
        return node
    numbers = tuple(i for i, v in enumerate((*node.inputs, *node.outputs)) if v in tight)
    return node if numbers == node.op.tight else replace(node, op=replace(node.op, tight=numbers))


def _single_results(nodes: Sequence[Node]) -> Iterator[Node]:
    """Maps with several results become several maps: each may join another kernel."""
    for node in nodes:
        if isinstance(node.op, Map) and len(node.outputs) > 1:
            for expr, value in zip(node.op.exprs, node.outputs, strict=True):
                yield map_of([expr], [value], node)
        else:
            yield node


class _Unit:
    """One group with all that it computes: its members and what is inlined into it."""

    def __init__(self, grouping: Grouping, members: list[int]) -> None:
        self.grouping = grouping
        self.members = members
        self.first = members[0]
        body: set[int] = set()
        stack = list(members)
        made = {v for m in members for v in grouping.nodes[m].outputs}
        read: dict[Value, None] = {}
        while stack:
            i = stack.pop()
            if i in body:
                continue
            body.add(i)
            for value in grouping.nodes[i].inputs:
                if value in grouping.inlining.inlined:
                    stack.append(grouping.producers[value])
        self.body = [grouping.nodes[i] for i in sorted(body)]
        made.update(v for n in self.body for v in n.outputs)
        for node in self.body:
            read.update((v, None) for v in node.inputs if v not in made)
        self.inputs = list(read)

    @property
    def place(self) -> tuple[bool, int]:
        """Where it stands, if nothing is in the way. Views are there with what they show."""
        return self.grouping.patterns[self.first] is not OpPattern.VIEW, self.first

    def preds(self) -> set[int]:
        """Members of other units that must have run."""
        grouping = self.grouping
        found = {grouping.producers[v] for v in self.inputs if v in grouping.producers}
        for m in self.members:
            found |= grouping.after(m)
        return found

    def node(self, read: set[Value], labels: KernelLabels) -> Node:
        grouping = self.grouping
        own = [grouping.nodes[m] for m in self.members]
        patterns = {grouping.patterns[m] for m in self.members}
        if patterns & _WITHOUT_KERNEL:
            return own[0]
        anchor = next(
            (
                n
                for n, m in zip(own, self.members, strict=True)
                if grouping.patterns[m] is not OpPattern.FLAT
            ),
            own[0],
        )
        kind = grouping.patterns[grouping.number[anchor]]
        made = [v for n in own for v in n.outputs]
        read = read | results_read(grouping, self.members)
        outputs = [v for v in made if v in read] or made  # a dead node's, if nothing removed it
        label = labels.of([n for n in self.body if n.direction is anchor.direction])
        body = Graph(
            label,
            tuple(Port(v.name, v, Role.DATA) for v in self.inputs),
            tuple(self.body),
            tuple(Port(v.name, v, Role.RESULT) for v in outputs),
        )
        location = next((n.location for n in (anchor, *own) if n.location.layer), anchor.location)
        return Node(
            Fused(label, schedule_of(grouping, self.members, kind), body),
            tuple(self.inputs),
            tuple(outputs),
            location,
            anchor.direction,
        )


def _ordered(units: Sequence[_Unit]) -> list[_Unit]:
    """Topological order that stays near the order of the nodes."""
    unit_of = {m: u for u in units for m in u.members}
    waiting: dict[_Unit, int] = {}
    after: dict[_Unit, list[_Unit]] = {u: [] for u in units}
    for unit in units:
        before = {unit_of[p] for p in unit.preds()} - {unit}
        waiting[unit] = len(before)
        for other in before:
            after[other].append(unit)
    ready = [(u.place, u) for u in units if not waiting[u]]
    heapq.heapify(ready)
    order: list[_Unit] = []
    while ready:
        _, unit = heapq.heappop(ready)
        order.append(unit)
        for other in after[unit]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (other.place, other))
    if len(order) != len(units):
        raise RuntimeError("fusion made a cycle")
    return order

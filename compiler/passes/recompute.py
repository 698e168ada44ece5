"""Backward computes again what is cheaper to compute than to keep."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ir.graph import Direction, Graph, Node, Value

from .context import UNBOUNDED, PassContext
from .repetition import Repetition
from .rewrite import Context


def recompute(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Compute in backward what little work makes of values that backward keeps anyway.

    Before (%x is kept, as backward reads it; %y only as the next layer's operand)::

        %x: f32[8,16,9,9] = conv(%data, %w)
        %y: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %z: f32[8,16,9,9] = conv(%y, %v)
      backward:
        %d_v: f32[16,16,3,3] = conv_weight_grad(%y, %d_z)

    After: %y is in memory for as long as it is read, twice::

        %y: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %z: f32[8,16,9,9] = conv(%y, %v)
      backward:
        %y.again: f32[8,16,9,9] = map(%x, %mean) {max(sub(a0, a1), 0.0)}
        %d_v: f32[16,16,3,3] = conv_weight_grad(%y.again, %d_z)

    Likewise what puts channels together (a Concat's result, if its parts are kept), and what sums
    of few products make of a much smaller image (a bottleneck's last convolution).
    """
    apart = context.options.target.kind == "cuda"
    work = Repetition(graph, context.effort.large if apart else 0, keeps_little=apart)
    for node in graph.nodes:
        if work.is_stored(node):
            chain = work.chain(node)
            if chain is None or not context.fuel.take("recompute: computed {} again", node):
                work.keep(node)
            else:
                work.make_again(node, chain)
    return _Rewriting(graph, work, apart).rewritten() if work.again else graph


class _Rewriting:
    """Puts what is computed again before its first reader in backward, which reads that.

    Args:
        apart: maps that read what maps make again compute it themselves. Then nothing but products
            waits for it, and the kernel that reads its operands next can make it on the way.
    """

    def __init__(self, graph: Graph, work: Repetition, apart: bool) -> None:
        self._graph = graph
        self._work = work
        self._apart = apart
        self._names = Context(graph)
        self._instead: dict[Value, Value] = {}
        self._nodes: list[Node] = []
        # What backward finds elsewhere: what is computed again, and what it inlines of that.
        self._other = set(work.again)
        for node in graph.nodes:
            if not self._other.isdisjoint(node.inputs):
                self._other.update(v for v in node.outputs if work.is_inlined(v))

    def rewritten(self) -> Graph:
        for node in self._graph.nodes:
            if node.direction is Direction.BACKWARD:
                own: dict[Value, Value] = {}
                for value in dict.fromkeys(node.inputs):
                    if self._apart and self._work.is_inlined_again(node, value):
                        self._follow(value, self._chain(value), own)
                    else:
                        self._renew(value)
                inputs = tuple(own.get(v) or self._instead.get(v, v) for v in node.inputs)
                if inputs != node.inputs:
                    node = replace(node, inputs=inputs)
            self._nodes.append(node)
        return replace(self._graph, nodes=tuple(self._nodes))

    def _renew(self, value: Value) -> None:
        """Make what backward reads instead of a value, if that is another one."""
        waiting = [value]
        while waiting:
            value = waiting[-1]
            node = self._work.producers.get(value)
            if node is None or value not in self._other or value in self._instead:
                waiting.pop()
            elif value in self._work.again:
                made: dict[Value, Value] = {}
                self._follow(value, self._chain(value), made)
                self._instead[value] = made[value]
            elif before := [v for v in node.inputs if v in self._other and v not in self._instead]:
                waiting += before
            else:
                self._copy(node, self._instead)

    def _chain(self, value: Value) -> set[Value]:
        return {node.outputs[0] for node in self._work.again[value]}

    def _follow(self, value: Value, chain: Collection[Value], made: dict[Value, Value]) -> None:
        """Make a value of a chain. Each has its own maps, as each reader inlines them; what is in
        memory is there once."""
        node = self._work.producers[value]
        for operand in node.inputs:
            if operand in chain and operand not in self._work.lasting:
                if operand not in made:
                    self._follow(operand, chain, made)
            else:
                self._renew(operand)
        self._copy(node, made)

    def _copy(self, node: Node, made: dict[Value, Value]) -> None:
        (result,) = node.outputs
        inputs = tuple(made[v] if v in made else self._instead.get(v, v) for v in node.inputs)
        made[result] = self._names.fresh(f"{result.name}.again", result.type)
        self._nodes.append(
            replace(node, inputs=inputs, outputs=(made[result],), direction=Direction.BACKWARD)
        )

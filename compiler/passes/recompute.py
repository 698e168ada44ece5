"""Backward computes again what is cheaper to compute than to keep."""

from __future__ import annotations

from collections.abc import Collection

from ir.graph import Graph, Node, Value

from .again import ComputedAgain
from .context import UNBOUNDED, PassContext
from .repetition import Repetition
from .signs import keep_signs


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
    of few products make of a much smaller image (a bottleneck's last convolution). On GPUs signs
    are kept where backward asks for no more (:mod:`.signs`).
    """
    apart = context.options.target.kind == "cuda"
    effort = context.effort
    if apart and effort.large:
        graph = keep_signs(graph, context)
    work = Repetition(
        graph, effort.large if apart else 0, keeps_little=apart, light=apart and effort.light
    )
    for node in graph.nodes:
        if work.is_stored(node):
            chain = work.chain(node)
            if chain is None or not context.fuel.take("recompute: computed {} again", node):
                work.keep(node)
            else:
                work.make_again(node, chain)
    return _Rewriting(graph, work, apart).rewritten() if work.again else graph


class _Rewriting(ComputedAgain):
    """Backward reads what is computed again, and its maps compute again what they can.

    Args:
        apart: maps that read what maps make again compute it themselves. Then nothing but products
            waits for it, and the kernel that reads its operands next can make it on the way.
    """

    def __init__(self, graph: Graph, work: Repetition, apart: bool) -> None:
        # What backward finds elsewhere: what is computed again, and what it inlines of that.
        dropped = set(work.again)
        for node in graph.nodes:
            if not dropped.isdisjoint(node.inputs):
                dropped.update(v for v in node.outputs if work.is_inlined(v))
        super().__init__(graph, dropped)
        self._work = work
        self._apart = apart

    def _reading(self, node: Node) -> Node:
        own: dict[Value, Value] = {}
        for value in dict.fromkeys(node.inputs):
            if self._apart and self._work.is_inlined_again(node, value):
                self._follow(value, self._chain(value), own)
            else:
                self._renew(value)
        return self._with_inputs(node, own)

    def _made_by_itself(self, value: Value) -> bool:
        if value not in self._work.again:
            return False
        made: dict[Value, Value] = {}
        self._follow(value, self._chain(value), made)
        self._instead[value] = made[value]
        return True

    def _chain(self, value: Value) -> set[Value]:
        return {node.outputs[0] for node in self._work.again[value]}

    def _follow(self, value: Value, chain: Collection[Value], made: dict[Value, Value]) -> None:
        """Make a value of a chain. Each has its own maps, as each reader inlines them; what is in
        memory is there once."""
        node = self._producers[value]
        for operand in node.inputs:
            if operand in chain and operand not in self._work.lasting:
                if operand not in made:
                    self._follow(operand, chain, made)
            else:
                self._renew(operand)
        self._copy(node, made)

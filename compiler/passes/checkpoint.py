"""Of some layers backward finds what goes in and out; what lies between it computes again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ir.graph import Direction, Graph, Value
from ir.size import value_of

from .again import ComputedAgain
from .context import UNBOUNDED, PassContext
from .rewrite import PINNED

_LITTLE = 256  # times as large as a value the largest one is, beside which it does not count


def checkpoint(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Keep for backward what goes from one segment of layers to the next, and make the rest again.
    With no effort nothing changes.

    Before (backward reads %a, %b, %c and %d)::

        %a = conv(%data, %w1)
        %b = conv(%a, %w2)
        %c = conv(%b, %w3)
        %d = conv(%c, %w4)
      backward:
        %d_w4 = conv_weight_grad(%c, %d_d)
        ...
        %d_w2 = conv_weight_grad(%a, %d_b)

    After, with two segments of which the first is computed again: %b is kept, %a is not::

        %a = conv(%data, %w1)
        %b = conv(%a, %w2)
        %c = conv(%b, %w3)
        %d = conv(%c, %w4)
      backward:
        %d_w4 = conv_weight_grad(%c, %d_d)
        ...
        %a.again = conv(%data, %w1)
        %d_w2 = conv_weight_grad(%a.again, %d_b)
    """
    effort = context.effort
    if not effort.again:
        return graph
    dropped = _Segments(graph).dropped(effort.segments, effort.again)
    wanted = {
        value
        for node in graph.nodes
        if not dropped.isdisjoint(node.outputs)
        and context.fuel.take("checkpoint: computed {} again", node)
        for value in node.outputs
    }
    dropped &= wanted
    return ComputedAgain(graph, dropped).rewritten() if dropped else graph


class _Segments:
    """The forward nodes of a graph, cut where little crosses."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = [n for n in graph.nodes if n.direction is Direction.FORWARD]
        self._shown = {port.value for port in graph.outputs}
        behind = {
            value
            for node in graph.nodes
            if node.direction is Direction.BACKWARD
            for value in node.inputs
        }
        made = {v: i for i, node in enumerate(self._nodes) for v in node.outputs}
        largest = max((value_of(v.type.nbytes) for v in made), default=0)
        self._made = {v: i for v, i in made.items() if _LITTLE * value_of(v.type.nbytes) >= largest}
        self._last = {
            value: i
            for i, node in enumerate(self._nodes)
            for value in node.inputs
            if value in self._made
        }
        kept = [0] * len(self._nodes)  # bytes that backward reads, by who makes them
        for value, i in self._made.items():
            if value in behind:
                kept[i] += value_of(value.type.nbytes)
        self._kept = list(itertools.accumulate(kept))

    def dropped(self, segments: int, again: int) -> set[Value]:
        """What need not be kept: made in one of the first ``again`` segments, and not read by
        later ones."""
        cuts = sorted(set(self._cuts(segments)))[:again]
        found = set()
        for value, i in self._made.items():
            end = next((cut for cut in cuts if i <= cut), None)
            if end is None or self._last.get(value, i) > end or value in self._shown:
                continue
            if not self._nodes[i].op.properties & PINNED:
                found.add(value)
        return found

    def _cuts(self, segments: int) -> Iterator[int]:
        """The last node of each segment but the last one: they keep about as much, and where they
        end little crosses."""
        if not self._kept or not self._kept[-1]:
            return
        crossing = self._crossing()
        step = self._kept[-1] / segments
        for number in range(1, segments):
            low, high = ((number + part) * step for part in (-0.5, 0.5))
            near = [i for i, total in enumerate(self._kept) if low <= total <= high]
            if near:
                yield min(near, key=lambda i: (crossing[i], i))

    def _crossing(self) -> list[int]:
        """Bytes that are made up to a node, and read after it."""
        change = [0] * (len(self._nodes) + 1)
        for value, last in self._last.items():
            change[self._made[value]] += value_of(value.type.nbytes)
            change[last] -= value_of(value.type.nbytes)
        return list(itertools.accumulate(change))

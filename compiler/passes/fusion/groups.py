"""Which nodes share a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir.graph import Direction, Graph, Node, Value
from ir.op import Property
from ir.size import Size

from ..fuel import Fuel
from .dag import Dag
from .inline import CHEAP, WINDOW_COST, Inlining, as_large, is_sign_for_backward
from .patterns import OpPattern, pattern_of
from .rows import in_row, row_shape
from .sums import summed_with, summing_product

_MOST_LOADS = 20
_MOST_NODES = 64
_SMALL = 64  # results of so few elements (per image) cost a launch and nothing else


def _makes_patches(node: Node) -> bool:
    """Whether it makes many results of what it reads once: nobody computes it again."""
    return node.op.patches is not None and node.op.patches.to_image


class Grouping:
    """The groups of a graph's nodes, and what is inlined into them.

    1. Pointwise nodes join the contraction or reduction whose result they read.
    2. :class:`Inlining` takes out what is computed where it is read.
    3. Horizontal fusion: reductions over the same axes that read the same tensor share a kernel.
    4. On GPUs (``sums``) a product's kernel sums what it makes over all rows (:mod:`.sums`), and
       makes maps that its own nodes read at their position, whoever else reads them.
    5. In rows of channels (:mod:`.rows`) what a reduction over them is needed for joins it.
    6. What is left is computed element by element: nodes that read each other at the same
       position, or the same tensor, join.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        fuel: Fuel,
        *,
        on_gpu: bool = False,
        sums: bool = False,
    ) -> None:
        """``on_gpu``: see :class:`Inlining`. ``sums``: see above."""
        self.nodes = nodes
        self.fuel = fuel
        self._on_gpu = on_gpu
        ahead = (n for n in nodes if n.direction is Direction.FORWARD and n.op.images)
        self._ahead = {(n.op, n.location) for n in ahead}
        self.number = {n: i for i, n in enumerate(nodes)}
        self.producers = {v: i for i, n in enumerate(nodes) for v in n.outputs}
        self.patterns = [pattern_of(n) for n in nodes]
        self.ports = {p.value for p in graph.outputs}
        self.readers: dict[Value, list[int]] = {}
        for i, node in enumerate(nodes):
            for value in dict.fromkeys(node.inputs):
                self.readers.setdefault(value, []).append(i)
        self._effects = self._effect_order()
        self.depth = self._depths()
        self.stored = self._must_store()
        epilogues = self._epilogues()
        anchored = {nodes[m]: nodes[group[0]] for group in epilogues.values() for m in group}
        self.inlining = Inlining(graph, nodes, anchored, fuel, on_gpu=on_gpu)
        self.dag = Dag([self._preds_of_loads(i) for i in range(len(nodes))])
        self.loads: list[dict[Value, bool]] = [
            {} if self.inlining.is_inlined(n) else self.inlining.loads(n) for n in nodes
        ]
        for group in epilogues.values():
            for member in group[1:]:
                self.dag.merge(self.dag.find(group[0]), self.dag.find(member))
        self._horizontally()
        if sums:
            self._sums()
        if on_gpu:
            self._beside_products()
        self._rows()
        self._flat()

    def groups(self) -> list[list[int]]:
        """Members of every group, ascending; inlined nodes are in none."""
        return [
            members
            for members in self.dag.members.values()
            if not self.inlining.is_inlined(self.nodes[members[0]])
        ]

    def after(self, i: int) -> set[int]:
        """Nodes that must run before node ``i`` because of effects."""
        return self._effects.get(i, set())

    def _effect_order(self) -> dict[int, set[int]]:
        order: dict[int, set[int]] = {}
        previous: int | None = None
        for i, node in enumerate(self.nodes):
            if node.op.properties & Property.EFFECT:
                if previous is not None:
                    order[i] = {previous}
                previous = i
        return order

    def _preds(self, i: int) -> set[int]:
        made = {self.producers[v] for v in self.nodes[i].inputs if v in self.producers}
        return made | self.after(i)

    def _preds_of_loads(self, i: int) -> set[int]:
        node = self.nodes[i]
        if self.inlining.is_inlined(node):
            return set()
        read = self.inlining.loads(node)
        return {self.producers[v] for v in read if v in self.producers} | self.after(i)

    # --- 1: epilogues ------------------------------------------------------------------

    def _epilogues(self) -> dict[int, list[int]]:
        """Members of every group that is built around a node, the anchor first."""
        dag = Dag([self._preds(i) for i in range(len(self.nodes))])
        epilogues: dict[int, list[int]] = {}
        anchor_of: dict[int, int] = {}
        for i, node in enumerate(self.nodes):
            sums = self.patterns[i] in (OpPattern.CONTRACT, OpPattern.REDUCE)
            if sums or _makes_patches(node):
                if len(node.outputs) == 1:
                    epilogues[i] = [i]
                    anchor_of[i] = i
                continue
            if not node.op.properties & Property.POINTWISE or len(node.outputs) != 1:
                continue
            made = {self.producers[v] for v in node.inputs if v in self.producers}
            anchors = sorted({anchor_of[p] for p in made if p in anchor_of}, reverse=True)
            for anchor in anchors:
                group = epilogues[anchor]
                fits = (
                    self._shape(anchor) == self._shape(i)
                    and self._in_order(anchor, i)
                    and self._same_direction(anchor, i)
                    and len(group) < _MOST_NODES
                    and self._operands([*group, i]) <= _MOST_LOADS
                    and self._belongs(i, anchor, anchor_of)
                )
                if (
                    fits
                    and dag.can_merge(dag.find(anchor), dag.find(i))
                    and self._may_join(anchor, i)
                ):
                    dag.merge(dag.find(anchor), dag.find(i))
                    group.append(i)
                    anchor_of[i] = anchor
                    break
        return epilogues

    def _in_order(self, anchor: int, i: int) -> bool:
        """Whether the kernel of ``anchor`` can store node ``i`` as it makes it. Weights in another
        order of memory it cannot: what lies side by side there is made at different times."""
        node = self.nodes[anchor]
        weights = node.op.images and not node.op.images[-1]
        return not weights or node.output.type.layout == self.nodes[i].outputs[0].type.layout

    def _belongs(self, i: int, anchor: int, anchor_of: dict[int, int]) -> bool:
        """Whether the kernel of ``anchor`` stores less, or another kernel less is needed, if it
        computes node ``i`` too.

        A result of a reduction is small: always. A contraction's is not. If another node reads
        the operand of node ``i`` as well, the operand is stored; then ``i`` is better computed by
        whoever reads it, unless it must be stored itself.
        """
        if self.patterns[anchor] is OpPattern.REDUCE:
            return True
        if self._is_again(anchor) and self._is_read_beside(i):
            return False
        if self.stored[i]:
            return True
        return any(
            anchor_of.get(self.producers.get(v, -1)) == anchor
            and len(self.readers[v]) == 1
            and v not in self.ports
            for v in self.nodes[i].inputs
        )

    def _is_again(self, i: int) -> bool:
        """Whether a node of backward is one of forward that is computed again, on GPUs."""
        node = self.nodes[i]
        behind = self._on_gpu and node.direction is Direction.BACKWARD
        return behind and (node.op, node.location) in self._ahead

    def _is_read_beside(self, i: int) -> bool:
        """Whether what maps make of a node is read where a later product is made, whose kernel may
        make it, too: then that reads what it is made of, and nothing else does."""
        shape, waiting = self._shape(i), [self.nodes[i].outputs[0]]
        while waiting:
            value = waiting.pop()
            for reader in self.readers.get(value, ()):
                other = self.nodes[reader]
                if not other.op.properties & Property.POINTWISE or self._shape(reader) != shape:
                    continue
                beside = [v for v in other.inputs if v is not value]
                if any(self._is_of_product(v, shape, i) for v in beside):
                    return True
                waiting += other.outputs
        return False

    def _is_of_product(self, value: Value, shape: tuple[int, ...], other: int) -> bool:
        """Whether maps make a value of a product, and not of the other node."""
        waiting = [value]
        while waiting:
            maker = self.producers.get(waiting.pop(), -1)
            if maker in (-1, other) or self._shape(maker) != shape:
                continue
            if self.patterns[maker] is OpPattern.CONTRACT:
                return True
            if self.nodes[maker].op.properties & Property.POINTWISE:
                waiting += self.nodes[maker].inputs
        return False

    def _must_store(self) -> list[bool]:
        """Whether a pointwise result ends up in memory wherever it is computed: somebody reads it
        who does not compute what he reads, or it is too expensive to be computed again."""
        stored = [True] * len(self.nodes)
        for i in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[i]
            if len(node.outputs) == 1:
                stored[i] = self._stored(i, node.outputs[0], stored)
        return stored

    def _stored(self, i: int, value: Value, stored: list[bool]) -> bool:
        views = [value]  # the value, and what it is called under other shapes
        while views:
            if self._stored_for(i, views.pop(), stored, views):
                return True
        return False

    def _stored_for(self, i: int, value: Value, stored: list[bool], views: list[Value]) -> bool:
        """:meth:`_stored` as far as one name of the value goes; adds further ones to ``views``."""
        if value in self.ports:
            return True
        asking = [self.nodes[reader] for reader in self.readers.get(value, ())]
        if is_sign_for_backward(value, self.nodes[i], asking):
            return True
        weight = self.nodes[i].op.cost
        readers = self.readers.get(value, [])
        if len(readers) > 1 and weight > CHEAP:
            return True
        for reader in readers:
            node = self.nodes[reader]
            properties = node.op.properties
            if self.patterns[reader] is OpPattern.VIEW:
                views.append(node.outputs[0])
            elif self.patterns[reader] is OpPattern.REDUCE:
                continue
            elif self.patterns[reader] is not OpPattern.FLAT:
                return True
            elif properties & Property.LOCAL:
                if weight > WINDOW_COST:
                    return True
            elif not self._same_direction(reader, i):
                if weight > CHEAP:
                    return True
            elif (
                properties & Property.POINTWISE
                and self._shape(reader) == value.shape
                and stored[reader]
                # Then both are in one kernel, unless the reader has to wait for another one.
                and self.depth[reader] == self.depth[i]
            ):
                return True
        return False

    def _depths(self) -> list[int]:
        """Kernels in a row that a node's result needs at least, its own included."""
        depths: list[int] = []
        for i, node in enumerate(self.nodes):
            before = max((depths[p] for p in self._preds(i)), default=0)
            light = node.op.properties & (Property.POINTWISE | Property.MOVEMENT)
            depths.append(before + (0 if light else 1))
        return depths

    def _shape(self, i: int) -> tuple[int, ...]:
        return self.nodes[i].outputs[0].shape

    def _same_direction(self, i: int, j: int) -> bool:
        """Forward, backward and update never share a kernel."""
        return self.nodes[i].direction is self.nodes[j].direction

    def _operands(self, members: Sequence[int]) -> int:
        made = {v for m in members for v in self.nodes[m].outputs}
        return len({v for m in members for v in self.nodes[m].inputs} - made)

    # --- 3: horizontal fusion -----------------------------------------------------------

    def _horizontally(self) -> None:
        found: dict[tuple[object, ...], list[int]] = {}
        for i, node in enumerate(self.nodes):
            if self.patterns[i] is not OpPattern.REDUCE:
                continue
            (x,) = node.inputs
            kind = (x.shape, node.op.reduced_axes, node.direction)
            others = found.setdefault(kind, [])
            whole = {v for v in self.loads[i] if as_large(v, x)}
            for other in reversed(others[-8:]):
                a, b = self.dag.find(other), self.dag.find(i)
                if whole & self.loads[other].keys() and self._join(a, b):
                    break
            others.append(i)

    # --- 4: sums over rows of products ---------------------------------------------------

    def _sums(self) -> None:
        for i, node in enumerate(self.nodes):
            if self.patterns[i] is not OpPattern.REDUCE:
                continue
            for value in self.loads[i]:
                maker = self.producers.get(value)
                if maker is not None and self._same_direction(maker, i):
                    self._sum(self.dag.find(maker), self.dag.find(i), node)

    def _sum(self, a: int, b: int, node: Node) -> None:
        """Let group ``a`` of a product sum up what group ``b`` of a reduction does, if it can."""
        kernel, sums = self.dag.members[a], self.dag.members[b]
        product = summing_product(self, kernel) if a != b else None
        if product is None or len(kernel) + len(sums) > _MOST_NODES:
            return
        made = {v for m in kernel for v in self.nodes[m].outputs}
        every = made | {v for m in sums for v in self.nodes[m].outputs}
        if (
            summed_with(self, product, sums, made)
            and len({v for m in (*kernel, *sums) for v in self.loads[m]} - every) <= _MOST_LOADS
            and self.dag.can_merge(a, b)
            and self.fuel.take("fuse: summed {} with {}", node, product)
        ):
            self.dag.merge(a, b)

    def _beside_products(self) -> None:
        for i, node in enumerate(self.nodes):
            if self.patterns[i] is not OpPattern.FLAT or not self._free(i):
                continue
            if len(node.outputs) != 1 or not self.inlining.is_pointwise(node):
                continue
            for reader in self.readers.get(node.outputs[0], ()):
                if self._same_direction(reader, i) and self._beside(self.dag.find(reader), i):
                    break

    def _beside(self, a: int, i: int) -> bool:
        """Let group ``a`` of a product, one of whose maps reads what node ``i`` makes, make it."""
        members, b = self.dag.members[a], self.dag.find(i)
        anchors = [m for m in members if self.patterns[m] is OpPattern.CONTRACT]
        (value,) = self.nodes[i].outputs
        together = [*members, *self.dag.members[b]]
        if len(anchors) != 1 or len(together) > _MOST_NODES:
            return False
        made = {v for m in together for v in self.nodes[m].outputs}
        if (
            all(self.loads[m].get(value, True) for m in members)
            and self._shape(anchors[0]) == self._shape(i)
            and self._in_order(anchors[0], i)
            and len({v for m in together for v in self.loads[m]} - made) <= _MOST_LOADS
            and self.dag.can_merge(a, b)
            and self._may_join(anchors[0], i)
        ):
            self.dag.merge(a, b)
            return True
        return False

    # --- 5: rows -------------------------------------------------------------------------

    def _rows(self) -> None:
        """Reductions over channels with the reductions and pointwise nodes that use them."""
        for i, node in enumerate(self.nodes):
            if self.patterns[i] not in (
                OpPattern.REDUCE,
                OpPattern.FLAT,
            ) or self.inlining.is_inlined(node):
                continue
            for value in self.loads[i]:
                maker = self.producers.get(value)
                if maker is None or not self._same_direction(maker, i):
                    continue
                a, b = self.dag.find(maker), self.dag.find(i)
                row = row_shape(self, self.dag.members[a])
                if a != b and row is not None:
                    self._join(a, b, row)

    def _join(self, a: int, b: int, row: tuple[int, ...] | None = None) -> bool:
        """Make two groups one kernel, if that can be; ``row``: a kernel of whole rows."""
        if a == b:
            return True
        members = [*self.dag.members[a], *self.dag.members[b]]
        if len(members) > _MOST_NODES or not self.dag.can_merge(a, b):
            return False
        made = {v for m in members for v in self.nodes[m].outputs}
        if len({v for m in members for v in self.loads[m]} - made) > _MOST_LOADS:
            return False
        if row is not None:
            if not all(in_row(self, m, made, row) for m in members):
                return False
        elif not all(self._at_hand(m, made) for m in members):
            return False
        if not self._may_join(self.dag.members[a][0], self.dag.members[b][0]):
            return False
        self.dag.merge(a, b)
        return True

    def _may_join(self, i: int, j: int) -> bool:
        """Whether there is fuel left to join the groups of two nodes."""
        return self.fuel.take("fuse: joined {} to {}", self.nodes[j], self.nodes[i])

    def _at_hand(self, i: int, made: set[Value]) -> bool:
        """Whether one kernel that makes ``made`` can also compute node ``i``: it reads results of
        the kernel at its own position only, and a reduction reads none (that is a second pass).
        """
        inside = [aligned for v, aligned in self.loads[i].items() if v in made]
        return all(inside) and not (inside and self.patterns[i] is OpPattern.REDUCE)

    # --- 6: element by element -----------------------------------------------------------

    def _flat(self) -> None:
        readers: dict[tuple[object, Direction, tuple[int, ...]], int] = {}
        for i, node in enumerate(self.nodes):
            if self.patterns[i] is not OpPattern.FLAT or not self._free(i):
                continue
            loads = self.loads[i]
            for maker in sorted({self.producers[v] for v in loads if v in self.producers}):
                self._join_maker(i, maker)
            if self._is_local(self.dag.find(i)):
                continue
            result = node.outputs[0]
            shape, size = result.shape, result.type.size
            small = _is_small(shape)
            partners: list[object] = [
                v for v, aligned in loads.items() if small or (aligned and v.type.size == size)
            ]
            if len(loads) > 1:  # gates of an LSTM
                partners.append(frozenset(loads))
            for partner in [*partners, None] if small else partners:
                place = (partner, node.direction, shape)
                other = readers.get(place)
                if other is not None:
                    self._join(self.dag.find(other), self.dag.find(i))
                readers[place] = i

    def _free(self, i: int) -> bool:
        """Whether node ``i`` is in no epilogue and not inlined."""
        members = self.dag.members[self.dag.find(i)]
        return not self.inlining.is_inlined(self.nodes[i]) and all(
            self.patterns[m] is OpPattern.FLAT for m in members
        )

    def _is_local(self, group: int) -> bool:
        return any(self.nodes[m].op.properties & Property.LOCAL for m in self.dag.members[group])

    def _join_maker(self, i: int, maker: int) -> None:
        """Join the group that makes what node ``i`` reads, if it reads it where it is made."""
        if self.patterns[maker] is not OpPattern.FLAT or not self._same_direction(maker, i):
            return
        a, b = self.dag.find(maker), self.dag.find(i)
        if a == b or not self._free(maker):
            return
        size = self.nodes[i].outputs[0].type.size
        made = [v for m in self.dag.members[a] for v in self.nodes[m].outputs]
        if all(v.type.size == size for v in made):
            self._join(a, b)


def _is_small(shape: tuple[int, ...]) -> bool:
    """Whether a result is small in every image, however many there are."""
    rest = math.prod(shape[1:] if shape and isinstance(shape[0], Size) else shape)
    return not isinstance(rest, Size) and rest <= _SMALL

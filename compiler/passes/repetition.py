"""What backward computes again, and of what: see :mod:`.recompute`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ir.graph import Direction, Graph, Node, Value
from ir.ops.pointwise import Map
from ir.size import degree
from ir.types import BOOL

from .rewrite import PINNED

_MOST_COST = 96  # of a chain of maps
_MOST_LARGE = 4  # operands as large as the result
_MOST_OPERANDS = 24
_MOST_PRODUCTS = 64  # that are added up for an element of a result
_LEAST_GROWTH = 4  # how many times as large as its image a result of products is
_LITTLE = 64  # how many times as large as an operand a result is, beside which it does not count


class Repetition:
    """What is decided, node by node in the order of the graph.

    Attributes:
        again: what is computed again -> the nodes that make it of what is in memory, in order.
        lasting: of these what backward stores: what more than maps make, and what maps make of it.
    """

    def __init__(
        self,
        graph: Graph,
        most_large: int = 0,
        *,
        keeps_little: bool = False,
        light: bool = False,
    ) -> None:
        """
        Args:
            most_large: operands as large as the result; 0: a few.
            keeps_little: what is much smaller than a result is kept for it.
            light: only what a kernel makes that reads the operands anyway. That is no product, and
                nobody makes it for the windows of a depthwise convolution.
        """
        self._keeps_little = keeps_little
        self._light = light
        self._most_large = most_large or _MOST_LARGE
        self.producers = graph.producers
        self.again: dict[Value, Sequence[Node]] = {}
        self.lasting: set[Value] = set()
        self._users = graph.users()
        self._shown = {port.value for port in graph.outputs}
        self._kept: set[Value] = set()  # from forward to backward
        # What forward nodes read that are no maps: then it is in memory.
        forward = (n for n in graph.nodes if n.direction is Direction.FORWARD)
        self._stored = {v for n in forward if not _is_map(n) for v in n.inputs}
        self._behind = self._read_backward(graph)
        # What maps make of products. One kernel may do both, but not for two such results.
        self._carried = Counter(
            made
            for node in graph.nodes
            if _is_of_products(node)
            for made in self._made_of(node.outputs[0])
        )

    def is_stored(self, node: Node) -> bool:
        """Whether what a node makes, with little work, lies in memory until backward reads it."""
        if not self._is_little_work(node) or node.outputs[0] in self._shown:
            return False
        (value,) = node.outputs
        if self._light and not self._is_for_products(value):
            return False
        return value in self._behind and (not _is_map(node) or value in self._stored)

    def _is_little_work(self, node: Node) -> bool:
        """Whether a forward node is, for what it makes."""
        if not _runs_again(node) or node.outputs[0].type.dtype is BOOL:
            return False
        if _is_map(node) or self._light:
            return _is_map(node)
        return node.op.parts_axis is not None or _is_of_products(node)

    def _is_for_products(self, value: Value) -> bool:
        """Whether all in backward that needs it in memory multiplies channels with channels."""
        behind = (n for n in self._users.get(value, ()) if n.direction is Direction.BACKWARD)
        return all(_is_map(n) or _mixes_channels(n) for n in behind)

    def keep(self, node: Node) -> None:
        """Decide that a result stays in memory."""
        self._kept.update(node.outputs)
        if self._keeps_little and _is_of_products(node):  # another one may be made again, then
            self._carried.subtract(self._made_of(node.outputs[0]))

    def make_again(self, node: Node, chain: Sequence[Node]) -> None:
        """Decide that a chain makes a result again."""
        (value,) = node.outputs
        self.again[value] = chain
        if any(not _is_map(n) or not self.lasting.isdisjoint(n.inputs) for n in chain):
            self.lasting.add(value)

    def chain(self, node: Node) -> list[Node] | None:
        """What makes a result of what is in memory, in order; None where that is too much."""
        (value,) = node.outputs
        chain: list[Node] = []
        operands: set[Value] = set()
        if not self._collect(value, value, chain, operands) or len(operands) > _MOST_OPERANDS:
            return None
        large = [operand for operand in operands if _at_least(operand, value)]
        if len(large) > self._most_large or sum(n.op.cost for n in chain) > _MOST_COST:
            return None
        needed = large
        if not all(map(_is_map, chain)):
            needed = [operand for operand in operands if _at_least(operand, value, _LITTLE)]
        if not needed or not all(self._is_needed(operand, value) for operand in needed):
            return None
        return chain if _is_map(node) or self._is_good_alone(node) else None

    def _is_good_alone(self, node: Node) -> bool:
        """Of what is no map, whether backward does not need much else at the same time."""
        if node.op.parts_axis is not None:  # all that were put together step by step
            return self.lasting.isdisjoint(node.inputs)
        return all(self._carried[made] == 1 for made in self._made_of(node.outputs[0]))

    def is_inlined(self, value: Value) -> bool:
        """Whether a forward map makes a value that is in no memory: who reads it computes it."""
        node = self.producers.get(value)
        return node is not None and _is_forward_map(node) and not self._stays(value)

    def is_inlined_again(self, reader: Node, value: Value) -> bool:
        """Whether a map reads what maps make again, of one operand that is as large."""
        if not _is_map(reader) or value not in self.again or value in self.lasting:
            return False
        chain = self.again[value]
        made = {v for node in chain for v in node.outputs}
        read = {v for node in chain for v in node.inputs} - made
        return sum(_at_least(operand, value) for operand in read) == 1

    def _collect(
        self, value: Value, result: Value, chain: list[Node], operands: set[Value]
    ) -> bool:
        node = self.producers.get(value)
        little = self._keeps_little and not _at_least(value, result, _LITTLE)
        if node is None or not self._is_little_work(node) or self._stays(value) or little:
            operands.add(value)
            return True
        if node in chain:
            return True
        if len(chain) + len(operands) > 2 * _MOST_OPERANDS:
            return False
        ready = True
        for operand in node.inputs:
            # Maps are inlined into maps. What else is computed again is in memory then.
            if operand in self.again and not (_is_map(node) and _is_map(self.producers[operand])):
                operands.add(operand)
            else:
                ready = ready and self._collect(operand, result, chain, operands)
        chain.append(node)
        return ready

    def _stays(self, value: Value) -> bool:
        return value in self._kept or value in self._shown

    def _is_needed(self, operand: Value, value: Value) -> bool:
        """Whether an operand is in memory in backward, also if ``value`` is not."""
        found, waiting = {operand}, [operand]
        while waiting:
            operand = waiting.pop()
            if self._stays(operand) or operand not in self.producers:
                return True
            for reader in self._users.get(operand, ()):
                if reader.direction is Direction.BACKWARD:
                    return True
                # What no one else reads is computed where it is read, of its operands.
                made = {*reader.outputs} - found - self._stored - {value}
                if made and _is_forward_map(reader):
                    found |= made
                    waiting += made
        return False

    def _made_of(self, value: Value) -> set[Value]:
        """What maps make of a value and somebody else reads, so that it is stored."""
        found: set[Value] = set()
        waiting = [value]
        while waiting:
            for reader in self._users.get(waiting.pop(), ()):
                made = {*reader.outputs} - found
                if made and _is_forward_map(reader):
                    found |= made
                    waiting += made - self._stored
        return found & self._stored

    def _read_backward(self, graph: Graph) -> set[Value]:
        """By backward itself, or by maps that it computes where it reads them."""
        read: set[Value] = set()
        for node in reversed(graph.nodes):
            inlined = _is_forward_map(node) and self._stored.isdisjoint(node.outputs)
            if node.direction is Direction.BACKWARD or (
                inlined and not read.isdisjoint(node.outputs)
            ):
                read.update(node.inputs)
        return read


def _runs_again(node: Node) -> bool:
    forward = node.direction is Direction.FORWARD
    return forward and len(node.outputs) == 1 and not node.op.properties & PINNED


def _mixes_channels(node: Node) -> bool:
    """Whether a node is a product of images over all their channels."""
    if not node.op.images:
        return bool(node.multiply_adds)
    return all(c.groups == 1 for channels in node.op.channels for c in channels)


def _is_map(node: Node) -> bool:
    return isinstance(node.op, Map)


def _is_forward_map(node: Node) -> bool:
    return _is_map(node) and _runs_again(node)


def _is_of_products(node: Node) -> bool:
    """Whether it sums few products of an image for each element of a much larger one."""
    if not _runs_again(node) or not node.op.images or not node.op.images[-1]:
        return False
    (result,) = node.outputs
    images = [v for v, image in zip(node.inputs, node.op.images, strict=False) if image]
    return all(_at_least(result, v, 1, _LEAST_GROWTH) for v in images) and _no_more(
        node.multiply_adds, _MOST_PRODUCTS * result.type.size
    )


def _at_least(value: Value, other: Value, times: int = 1, others: int = 1) -> bool:
    """Whether so many times a value are as large as the other one so many times."""
    return _no_more(others * other.type.size, times * value.type.size)


def _no_more(number: int, other: int) -> bool:
    """For all sizes that are large, if they depend on them."""
    return (degree(number), number) <= (degree(other), other)

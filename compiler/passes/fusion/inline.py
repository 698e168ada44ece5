"""Which values are never stored, but computed again wherever they are read.

A kernel computes its outputs, and for that the values they read, down to what lies in memory. A
pointwise or movement node whose every reader can inline costs no kernel and no
buffer of its own. With one reader nothing is computed twice; with several the
node must be cheap and read at most one tensor of its size, so that reading its operand costs no
more than reading its result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.size import degree
from ir.types import BOOL

from ..fuel import Fuel
from .parted import is_parted, sums_over_channels
from .patterns import OpPattern, pattern_of
from .slices import in_whole_vectors

CHEAP = 12  # cost up to which a node may be computed again
_HEAVIEST = 400  # cost of a whole chain in front of a reader
_MOST_LOADS = 12
_MOST_READERS = 8
_ALL_LOADS = 32  # what the operands of one reader may read and cost together
_ALL_COST = 800
_FREE = 4  # a few steps of movement: reading it costs what reading a copy would
WINDOW_COST = 3  # a window computes what it reads once per tap


@dataclass(slots=True)
class Recomputation:
    """What computing a value where it is read takes."""

    cost: int = 0
    loads: dict[Value, bool] = field(default_factory=dict)
    """Values read from memory -> whether only at the element's own flat position."""
    pure: bool = True  # pointwise on one shape all the way
    pointwise: bool = True  # or with operands that are repeated along some axes
    near: bool = True  # or at least slices of what lies in memory, and views of them
    step: bool = True  # nothing but slices that are read as fast as tensors, and views of them


class Inlining:
    """Decides, in topological order, which nodes are inlined.

    Args:
        anchored: for nodes that phase one placed into the epilogue of a contraction or reduction
            its anchor (itself for the anchor).
        fuel: without it nothing is inlined.
        on_gpu: there a contraction's epilogue also computes maps that repeat an operand along some
            axes, and slices along any axis are read as fast as tensors, if vectors of the one are
            vectors of the other; else only those along the leading axis are known to be.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        anchored: Mapping[Node, Node],
        fuel: Fuel,
        *,
        on_gpu: bool = False,
    ) -> None:
        self.nodes = nodes
        self._on_gpu = on_gpu
        self.anchored = anchored
        self.patterns = {n: pattern_of(n) for n in nodes}
        self.readers: dict[Value, list[Node]] = {}
        for node in nodes:
            for value in dict.fromkeys(node.inputs):
                self.readers.setdefault(value, []).append(node)
        self.producers = {v: n for n in nodes for v in n.outputs}
        self.ports = {p.value for p in graph.outputs}
        self.inlined: dict[Value, Recomputation] = {}
        for node in nodes:
            self._decide(node, fuel)

    def is_inlined(self, node: Node) -> bool:
        return bool(node.outputs) and node.outputs[0] in self.inlined

    def loads(self, node: Node) -> dict[Value, bool]:
        """What a node that is not inlined reads from memory -> whether only at its position."""
        return self._work(node).loads

    def is_pointwise(self, node: Node) -> bool:
        """Whether all that a node that is not inlined computes is."""
        return self._work(node).pointwise

    def _decide(self, node: Node, fuel: Fuel) -> None:
        if node in self.anchored or len(node.outputs) != 1:
            return
        properties = node.op.properties
        pattern = self.patterns[node]
        value = node.outputs[0]
        if pattern is OpPattern.VIEW:
            # A view of what lies in memory is free. What is inlined is inlined through its views:
            # its own decision has asked their readers.
            if node.inputs[0] in self.inlined:
                self.inlined[value] = self._work(node)
            return
        if pattern is not OpPattern.FLAT or not properties & (
            Property.POINTWISE | Property.MOVEMENT
        ):
            return
        if properties & Property.RANDOM or value in self.ports or value not in self.readers:
            return
        if is_sign_for_backward(value, node, self.readers[value]):
            return
        work = self._work(node)
        if len(work.loads) > _MOST_LOADS or work.cost > _HEAVIEST:
            return
        readers = self._final_readers(value)
        if readers is None or not all(self._takes(r, v, node, work) for r, v in readers):
            return
        again = len(readers) > 1 or any(self._repeats(r, v) for r, v in readers)
        if again and not self._cheap(value, work, len(readers)):
            return
        if fuel.take("fuse: computed {} where it is read", node):
            self.inlined[value] = work

    def _final_readers(self, value: Value) -> list[tuple[Node, Value]] | None:
        """Readers of ``value`` with the value they read: it, or a view of it that no port shows."""
        found: list[tuple[Node, Value]] = []
        stack = [value]
        while stack:
            seen = stack.pop()
            readers = self.readers.get(seen, ())
            if seen is not value and (seen in self.ports or not readers):
                return None
            views = [r.outputs[0] for r in readers if self.patterns[r] is OpPattern.VIEW]
            found.extend((r, seen) for r in readers if self.patterns[r] is not OpPattern.VIEW)
            stack.extend(reversed(views))
        return found

    def _cheap(self, value: Value, work: Recomputation, readers: int) -> bool:
        whole = sum(as_large(v, value) for v in work.loads)
        few = readers <= _MOST_READERS or work.cost <= _FREE
        return work.cost <= CHEAP and whole <= 1 and len(work.loads) <= 4 and few

    def _repeats(self, reader: Node, value: Value) -> bool:
        """Whether the reader needs an element of the value more than once. Who puts parts together
        computes all of them for each element, and takes one."""
        parts = reader.op.parts_axis is not None
        return parts or bool(reader.op.properties & Property.LOCAL) or self._wider(reader, value)

    def _wider(self, reader: Node, value: Value) -> bool:
        """Whether the reader repeats the value along some axis."""
        pointwise = bool(reader.op.properties & Property.POINTWISE)
        return pointwise and value.shape != reader.outputs[0].shape

    def _takes(self, reader: Node, value: Value, node: Node, work: Recomputation) -> bool:
        """Whether the kernel of ``reader`` can compute ``value`` by itself."""
        if (
            reader.direction is not node.direction
            and sum(as_large(v, value) for v in work.loads) > 1
        ):
            return False  # what forward computes for backward: keep the operand, not the result
        if not _fits(reader, work):
            return False
        anchor = self.anchored.get(reader)
        pattern = self.patterns[reader]
        pure = work.pure and value is node.outputs[0]
        if anchor is not None and anchor is not reader:
            if work.near and work.cost <= _FREE and len(work.loads) <= 2:
                return True  # a step of a sequence, or a gate of an LSTM
            pointwise = self._on_gpu and work.pointwise and value is node.outputs[0]
            return (pure or pointwise) and value.shape == reader.outputs[0].shape
        if pattern is OpPattern.REDUCE:
            return True
        if pattern is OpPattern.CONTRACT:
            # Only the address is another one.
            return work.step or (self._is_parted(node) and sums_over_channels(reader, value))
        if pattern is not OpPattern.FLAT:
            return False
        if self._feeds_products(reader) and not work.step:
            return False
        if reader.op.properties & Property.LOCAL:
            return pure and work.cost <= WINDOW_COST and len(work.loads) <= 2
        return True

    def _feeds_products(self, node: Node) -> bool:
        """Whether a node is a slice that contractions read where it lies, if it does."""
        if not self._on_gpu or not in_whole_vectors(node):
            return False
        readers = self.readers.get(node.outputs[0], ())
        return any(self.patterns[reader] is OpPattern.CONTRACT for reader in readers)

    def _is_parted(self, node: Node) -> bool:
        """Whether a node puts together channels of images that lie in memory, in whole blocks."""
        return is_parted(node) and not self.inlined.keys() & set(node.inputs)

    def _work(self, node: Node) -> Recomputation:
        shape = node.outputs[0].shape if node.outputs else None  # a file output
        op = node.op
        pointwise = bool(op.properties & Property.POINTWISE)
        view = bool(op.properties & Property.VIEW)
        near = pointwise or view or op.offset_axis is not None
        step = view or op.offset_axis == 0 or (self._on_gpu and in_whole_vectors(node))
        total = Recomputation(op.cost, pure=pointwise, pointwise=pointwise, near=near, step=step)
        for value in node.inputs:
            aligned = shape is not None and op.may_alias(value.shape, shape)
            inner = self.inlined.get(value)
            if inner is None:
                total.loads[value] = total.loads.get(value, True) and aligned
                continue
            total.cost += inner.cost
            total.pure &= inner.pure and aligned
            total.pointwise &= inner.pointwise
            total.near &= inner.near
            total.step &= inner.step
            for leaf, own in inner.loads.items():
                total.loads[leaf] = total.loads.get(leaf, True) and own and aligned
        return total


def is_sign_for_backward(value: Value, node: Node, readers: Sequence[Node]) -> bool:
    """Whether a comparison is made to be kept: it takes less memory than what is compared."""
    others = any(reader.direction is not node.direction for reader in readers)
    return value.type.dtype is BOOL and others


def as_large(value: Value, other: Value) -> bool:
    """Whether a value has no fewer elements than another one: for batches and images that are
    large, if it depends on them."""
    own, least = value.type.size, other.type.size
    return (degree(own), own) >= (degree(least), least)


def _fits(reader: Node, work: Recomputation) -> bool:
    """Whether each operand of the reader may be as heavy as this one.

    Twenty steps of a recurrent layer come together in one concatenation: inlined into it, all of
    them would be one kernel.
    """
    count = len(dict.fromkeys(reader.inputs))
    return len(work.loads) <= max(2, _ALL_LOADS // count) and work.cost <= max(
        CHEAP, _ALL_COST // count
    )

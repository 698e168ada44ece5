"""The fused group: a nested graph that becomes one kernel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..graph import Graph, Node
from ..interpret import run_graph
from ..op import Op, Property, Steps, register, require
from ..types import TensorType
from ..value import Value


class InWhole(NamedTuple):
    """Where a tensor lies in a larger one: from which place along an axis on, and what the extent
    of the larger one is there."""

    axis: int
    start: int
    extent: int


def whole_type(type: TensorType, places: Sequence[InWhole]) -> TensorType:
    """The type of the outermost tensor that one lies in."""
    shape = list(type.shape)
    for place in places:
        shape[place.axis] = place.extent
    return replace(type, shape=tuple(shape))


def whole_size(type: TensorType, places: Sequence[InWhole]) -> int:
    """Elements of the outermost tensor that one lies in."""
    whole = whole_type(type, places)
    return type.memory_size if not places else math.prod(whole.shape)


@register
@dataclass(frozen=True)
class Fused(Op):
    """Runs ``body``; its inputs and outputs are the node's, in order. One kernel on a GPU.

    ``label`` names the kernel (``conv1_relu1``), ``schedule`` says which family prints it.
    ``tight``: numbers of inputs, and after them of outputs, that are parts of tensors: memory
    before and behind them is not theirs, and they begin at any element.
    ``inside``: likewise of those that lie in larger tensors, as parts of what is put together:
    number, axis, first place along the axis, and the extent that the larger tensor has there, four
    numbers for each; several for one that lies in a part of another tensor, the outermost last.
    ``bundled``: a small kernel of it may share a launch with those of others.
    """

    label: str
    schedule: str
    body: Graph
    tight: tuple[int, ...] = ()
    inside: tuple[int, ...] = ()
    bundled: bool = False
    name = "fused"
    properties = Property.NONE

    @property
    def places(self) -> Mapping[int, tuple[InWhole, ...]]:
        """By their numbers, where operands and results lie in larger tensors."""
        found: dict[int, tuple[InWhole, ...]] = {}
        for i in range(0, len(self.inside), 4):
            number, *place = self.inside[i : i + 4]
            found[number] = (*found.get(number, ()), InWhole(*place))
        return found

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        expected = [p.value.type.logical for p in self.body.inputs]
        require(list(inputs) == expected, f"{inputs} given, the body takes {expected}")
        loops = [n.op.name for n in self.body.nodes if n.op.properties & Property.REPEATED]
        require(not loops, "a kernel holds no loop over steps")
        return tuple(p.value.type.logical for p in self.body.outputs)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return run_graph(self.body, inputs)

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        """Of all nodes of the body."""
        return sum(node.multiply_adds for node in self.body.nodes)

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        """Of all nodes of the body."""
        return sum(node.operations(steps) for node in self.body.nodes)


def summing_nodes(body: Graph) -> list[Node]:
    """The reductions of a group around something else, and what nothing but they needs: the last
    first. They may be computed by another kernel, of the results that this one stores."""
    summed: set[Value] = set()
    for node in body.nodes:
        if node.op.fold is not None or not summed.isdisjoint(node.inputs):
            summed.update(node.outputs)
    needed = {port.value for port in body.outputs if port.value not in summed}
    found = []
    for node in reversed(body.nodes):
        if needed.isdisjoint(node.outputs):
            found.append(node)
        else:
            needed.update(node.inputs)
    return found

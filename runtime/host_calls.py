"""The host layers of a net that runs as a whole: each is called once a pass.

Where a size that only running tells comes out anew, a pass is run again at that size. Its Python
layers must not be: they read the next pictures, or draw others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ir.graph import Graph
from ir.op import Property
from ir.ops.host import HostCall
from ir.program import NetProgram

from .layerwise import LayerwiseNet

Results = dict[int, list[np.ndarray]]
"""What host layers gave in a pass, by layer number."""


class HostCalls:
    """The host layers of a program (true if it has any), and what they gave in this pass.

    Attributes:
        given: results of the layers that ran so far.
    """

    def __init__(self, program: NetProgram) -> None:
        self._layers: dict[int, HostCall] = {}
        for number, layer in enumerate(program.layers):
            for node in program.graph.nodes[layer.first : layer.last]:
                if isinstance(node.op, HostCall):
                    self._layers[number] = node.op
        self.given: Results = {}

    def __bool__(self) -> bool:
        return bool(self._layers)

    def __contains__(self, number: int) -> bool:
        return number in self._layers

    def recorded(self, graph: Graph) -> Graph:
        """The program's graph, noting what its host layers give."""
        numbers = {id(op): number for number, op in self._layers.items()}
        nodes = tuple(
            replace(node, op=self._noting(numbers[id(node.op)], node.op))
            if isinstance(node.op, HostCall) and id(node.op) in numbers
            else node
            for node in graph.nodes
        )
        return replace(graph, nodes=nodes, _producers={})

    def _noting(self, number: int, op: HostCall) -> HostCall:
        def forward(inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
            assert op.forward is not None
            self.given[number] = results = [*op.forward(inputs)]
            return results

        return replace(op, forward=forward)

    def hold(self, results: Mapping[int, Sequence[np.ndarray]]) -> None:
        """Let these layers give these results at their next call, instead of running."""
        for number, arrays in results.items():
            self._held(number, arrays)

    def release(self) -> None:
        """Let every layer run at its next call."""
        for number in self._layers:
            self._held(number, None)

    def _held(self, number: int, arrays: Sequence[np.ndarray] | None) -> None:
        hold = self._layers[number].hold
        if hold is not None:
            hold(arrays)


class SizeFinder:
    """Finds the sizes that only running tells, by a forward pass layer by layer.

    Args:
        by_layer: makes the net, without data sources.
    """

    def __init__(self, by_layer: Callable[[], LayerwiseNet]) -> None:
        self._by_layer = by_layer
        self._net: LayerwiseNet | None = None

    def find(
        self, inputs: Mapping[str, np.ndarray], hosts: HostCalls, random: Sequence[int]
    ) -> tuple[dict[str, tuple[int, ...]], Results]:
        """Shapes by the names under which lowering looks for them, and what the host layers gave.

        Args:
            random: seed and number of this pass.

        Raises what a layer raises: RoasteryError where it cannot take a size.
        """
        net = self._net = self._net or self._by_layer()
        for name, array in inputs.items():
            net.blobs[name].resize(array.shape)
            net.blobs[name].data.array[...] = array
        results: Results = {}

        def note(number: int) -> None:
            if number in hosts:
                tops = net.layers[number].info.tops
                results[number] = [net.blobs[top].data.peek().copy() for top in tops]

        net.after_forward = [note]
        last = max(n for n, layer in enumerate(net.layers) if tells_sizes(layer.graphs.forward))
        net.restore_random(random)
        net.forward(end=last)
        sizes: dict[str, tuple[int, ...]] = {}
        for layer in net.layers[: last + 1]:
            sizes.update(layer.sizes)
        return sizes, results


def tells_sizes(graph: Graph) -> bool:
    """Whether a size may come out of running the graph."""
    tells = Property.EFFECT | Property.DYNAMIC
    return any(node.op.properties & tells and node.outputs for node in graph.nodes)

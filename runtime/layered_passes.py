"""Passes layer by layer of a net that is planned as a whole.

They find the sizes that only running tells; and where those change again and again, they are
faster than a plan of the whole net for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ir.graph import Graph
from ir.op import Property

from .host_calls import HostCalls, Results
from .layerwise import LayerwiseNet

LayeredPass = Callable[[LayerwiseNet], float]
"""Runs a net and returns its loss: LayerwiseNet's forward_loss or forward_backward."""


class LayeredPasses:
    """A net layer by layer, on the blobs and sizes of its own, over the same parameters.

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
        net = self._prepared(inputs, random)
        results: Results = {}

        def note(number: int) -> None:
            if number in hosts:
                tops = net.layers[number].info.tops
                results[number] = [net.blobs[top].data.peek().copy() for top in tops]

        net.after_forward = [note]
        last = max(n for n, layer in enumerate(net.layers) if tells_sizes(layer.graphs.forward))
        net.forward(end=last)
        sizes: dict[str, tuple[int, ...]] = {}
        for layer in net.layers[: last + 1]:
            sizes.update(layer.sizes)
        return sizes, results

    def run(
        self, inputs: Mapping[str, np.ndarray], random: Sequence[int], run: LayeredPass
    ) -> tuple[LayerwiseNet, float]:
        """A whole pass; returns the net and its loss."""
        net = self._prepared(inputs, random)
        net.after_forward = []
        return net, run(net)

    def _prepared(self, inputs: Mapping[str, np.ndarray], random: Sequence[int]) -> LayerwiseNet:
        net = self._net = self._net or self._by_layer()
        for name, array in inputs.items():
            net.blobs[name].resize(array.shape)
            net.blobs[name].data.array[...] = array
        net.restore_random(random)
        return net


def tells_sizes(graph: Graph) -> bool:
    """Whether a size may come out of running the graph."""
    tells = Property.EFFECT | Property.DYNAMIC
    return any(node.op.properties & tells and node.outputs for node in graph.nodes)

"""The host layers of a net that runs as a whole: each is called once a pass.

Where a size that only running tells comes out anew, a pass is run again at that size. Its Python
layers must not be: they read the next pictures, or draw others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ir.graph import Graph
from ir.ops.host import HostCall
from ir.program import NetProgram

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
        return replace(graph, nodes=nodes)

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

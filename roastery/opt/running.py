"""Runs graphs on arrays: through the reference in double precision, or on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from compiler.precision import IEEE
from compiler.target import GENERIC, Target
from ir.graph import Graph
from ir.interpret import run_graph
from ir.ops.host import stand_in
from runtime.backends.backend import output_buffers, synchronize
from runtime.memory.buffers import Buffer

from ..building.logger import LOGGER
from ..devices.backends import choose_device, open_backend
from ..devices.compile_options import CompileRequest, compile_options


class GraphRunner(Protocol):
    """Runs a graph as it is, without any pass.

    ``target`` is its device; ``tolerance``: how much a result may differ, for rounding, from one
    in double precision, relative to the largest element.
    """

    target: Target
    tolerance: float

    def __call__(self, graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for float64 arrays and integers, in the order of the graph's inputs."""
        ...


class ReferenceRunner:
    """The meaning of a graph. Host calls, of which a text holds no function, are stood in for."""

    target = GENERIC
    tolerance = 1e-6

    def __call__(self, graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            return run_graph(_with_stand_ins(graph), arrays)


class DeviceRunner:
    """The kernels that groups become; what is in no group is one by itself.

    Raises RoasteryError for a device that is not there.
    """

    tolerance = 1e-3

    def __init__(self, device: str) -> None:
        self._backend = open_backend(choose_device(device))
        self.target = self._backend.target
        self._options = compile_options(self._backend, CompileRequest(IEEE, "none"), LOGGER.warning)

    def __call__(self, graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        ports = {p.key: p.value.type for p in graph.inputs}
        inputs = {key: Buffer(type) for key, type in ports.items()}
        for buffer, array in zip(inputs.values(), arrays, strict=True):
            buffer.array[...] = array
        outputs = output_buffers({p.key: p.value.type for p in graph.outputs}, inputs)
        with np.errstate(all="ignore"):
            self._backend.bind(_with_stand_ins(graph), inputs, outputs, self._options).run()
            synchronize(self._backend)
        return [buffer.peek().copy() for buffer in outputs.values()]


def runner(device: str) -> GraphRunner:
    """What runs graphs on ``reference`` or a device."""
    return ReferenceRunner() if device == "reference" else DeviceRunner(device)


def _with_stand_ins(graph: Graph) -> Graph:
    return replace(graph, nodes=tuple(replace(n, op=stand_in(n.op)) for n in graph.nodes))

"""Runs graphs on arrays: through the reference in double precision, or on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from compiler.precision import FLOAT32, kernel_tolerance, narrow_type
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

    ``target`` is its device.
    """

    target: Target

    def tolerance(self, precision: str) -> float:
        """How much a result may differ, for rounding, from one in double precision, relative to
        the largest element."""
        ...

    def __call__(self, graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for float64 arrays and integers, in the order of the graph's inputs."""
        ...


class ReferenceRunner:
    """The meaning of a graph. Host calls, of which a text holds no function, are stood in for."""

    target = GENERIC

    def tolerance(self, precision: str) -> float:
        return _tolerance(1e-6, precision if narrow_type(precision) else FLOAT32)

    def __call__(self, graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            return run_graph(_with_stand_ins(graph), arrays)


class DeviceRunner:
    """The kernels that groups become; what is in no group is one by itself.

    Args:
        precision: how they multiply; what of a graph has 16 bits says its text.

    Raises RoasteryError for a device that is not there.
    """

    def __init__(self, device: str, precision: str = FLOAT32) -> None:
        self._backend = open_backend(choose_device(device))
        self.target = self._backend.target
        alike = precision in self.target.precisions and not narrow_type(precision)
        asked = CompileRequest(precision if alike else FLOAT32, "none")
        self._options = compile_options(self._backend, asked, LOGGER.warning)

    def tolerance(self, precision: str) -> float:
        return _tolerance(1e-3, precision)

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


def runner(device: str, precision: str) -> GraphRunner:
    """What runs graphs on ``reference`` or a device."""
    return ReferenceRunner() if device == "reference" else DeviceRunner(device, precision)


_ROUNDINGS = 4  # of a few kernels, each of which reads what another one stored


def _tolerance(exact: float, precision: str) -> float:
    """``exact``: where numbers are float32 or finer."""
    allowed = kernel_tolerance(precision)
    return exact if allowed == kernel_tolerance(FLOAT32) else _ROUNDINGS * allowed


def _with_stand_ins(graph: Graph) -> Graph:
    return replace(graph, nodes=tuple(replace(n, op=stand_in(n.op)) for n in graph.nodes))

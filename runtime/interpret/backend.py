"""The ``interpret`` executor: the GPU's kernels, run on the CPU by Triton's interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from compiler.compiled import CompiledGraph, HostStep
from compiler.kernel import Launch, Scratch
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.target import GENERIC
from compiler.triton.lower import lower_node
from ir.graph import Graph, PortKey, Value

from ..backends.per_graph import PerGraph
from ..backends.placement import Placement, Region
from ..memory.buffers import Buffer, host_bytes
from .launcher import InterpretLauncher

Run = Callable[[], None]


class InterpretedGraph:
    """A compiled graph bound to host memory."""

    def __init__(
        self,
        compiled: CompiledGraph,
        launcher: InterpretLauncher,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self.compiled = compiled
        self._arena = host_bytes(compiled.memory.peak)
        self._placement = Placement(compiled, inputs, outputs)
        self._runs: list[Run] = []
        for step in compiled.steps:
            if isinstance(step, HostStep):
                self._runs.append(self._host(step))
            else:
                self._runs += [launcher.bind(x, self._resolver(x)) for x in step.launches]
        for source, target in self._placement.copies:
            array = self._memory(source).view(target.type.dtype.numpy)[: target.type.size]
            self._runs.append(_copier(array.reshape(target.type.shape), target.array))

    def run(self) -> None:
        """Run every launch; raises what host steps raise."""
        for run in self._runs:
            run()

    def _memory(self, region: Region) -> np.ndarray:
        """All bytes of a region."""
        if isinstance(region, Buffer):
            return region.flat.view(np.uint8)
        return self._arena[region.offset : region.offset + _padded(region.nbytes)]

    def _resolver(self, launch: Launch) -> Callable[[Value | Scratch], np.ndarray]:
        """The memory of an argument, as elements of the type its pointer has."""
        dtypes = {
            item: parameter.dtype
            for item, parameter in zip(launch.arguments, launch.kernel.parameters, strict=True)
            if isinstance(item, (Value, Scratch)) and parameter.dtype is not None
        }

        def resolve(item: Value | Scratch) -> np.ndarray:
            return self._memory(self._placement.region(item)).view(dtypes[item].numpy)

        return resolve

    def _array(self, value: Value) -> np.ndarray:
        flat = self._memory(self._placement.region(value)).view(value.type.dtype.numpy)
        return flat[: value.type.size].reshape(value.shape)

    def _host(self, step: HostStep) -> Run:
        node = step.node
        sources = [self._array(v) for v in node.inputs]
        targets = [self._array(v) for v in node.outputs]
        types = [v.type for v in node.outputs]

        def run() -> None:
            for target, result in zip(targets, node.op.reference(sources, types), strict=True):
                np.copyto(target, result)

        return run


def _padded(nbytes: int) -> int:
    """The arena aligns to 256 bytes, so kernels may run over a padded count of elements."""
    return -(-nbytes // 256) * 256


def _copier(source: np.ndarray, target: np.ndarray) -> Run:
    return lambda: np.copyto(target, source)


class InterpretBackend:
    """Slow: for tests of what a GPU would compute."""

    name = "interpret"
    target = replace(GENERIC, name="Triton's interpreter", precisions=("ieee",))

    def __init__(self, launcher: InterpretLauncher | None = None) -> None:
        self._launcher = launcher or InterpretLauncher()
        self._compiled = PerGraph(lambda graph, options: compile_graph(graph, lower_node, options))

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
    ) -> InterpretedGraph:
        return InterpretedGraph(self._compiled(graph, options), self._launcher, inputs, outputs)

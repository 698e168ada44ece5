"""The Triton executors: ``interpret`` (kernels run on the CPU, for tests) and ``cuda``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from compiler.compiled import CompiledGraph, CopyStep, HostStep, Place
from compiler.kernel import Launch, Scratch
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir.graph import Graph, Value

from .backend import port_key
from .buffers import Buffer, host_bytes

Run = Callable[[], None]


class InterpretedGraph:
    """A compiled graph bound to host memory, its kernels run by Triton's interpreter."""

    def __init__(
        self,
        compiled: CompiledGraph,
        bind: Callable[[Launch, Callable[[Value | Scratch], np.ndarray]], Run],
        inputs: Mapping[str, Buffer],
        outputs: Mapping[str, Buffer],
    ) -> None:
        self.compiled = compiled
        self._arena = host_bytes(compiled.memory.arena)
        self._inputs = inputs
        self._outputs = outputs
        self._runs: list[Run] = []
        for step in compiled.steps:
            if isinstance(step, Launch):
                self._runs.append(bind(step, _typed(step, self._flat)))
            elif isinstance(step, CopyStep):
                target = outputs[port_key(step.target.role, step.target.name)]
                self._runs.append(_copier(self._array(step.source), target.array))
            else:
                self._runs.append(self._host(step))

    def run(self) -> None:
        for run in self._runs:
            run()

    def _place(self, item: Value | Scratch) -> Place:
        return self.compiled.memory.places[item]

    def _flat(self, item: Value | Scratch) -> np.ndarray:
        """The padded memory of a value, as its element type."""
        place = self._place(item)
        if place.port is not None:
            bound = self._outputs if place.is_output else self._inputs
            return bound[port_key(place.port.role, place.port.name)].flat
        assert place.offset is not None
        raw = self._arena[place.offset : place.offset + place.nbytes]
        return raw if isinstance(item, Scratch) else raw.view(item.type.dtype.numpy)

    def _array(self, value: Value) -> np.ndarray:
        return self._flat(value)[: value.type.size].reshape(value.shape)

    def _host(self, step: HostStep) -> Run:
        node = step.node
        sources = [self._array(v) for v in node.inputs]
        targets = [self._array(v) for v in node.outputs]
        types = [v.type for v in node.outputs]

        def run() -> None:
            for target, result in zip(targets, node.op.reference(sources, types), strict=True):
                np.copyto(target, result)

        return run


def _typed(
    launch: Launch, flat: Callable[[Value | Scratch], np.ndarray]
) -> Callable[[Value | Scratch], np.ndarray]:
    """``flat``, with scratch memory seen as the element type the kernel takes it for."""
    dtypes = {
        item: parameter.dtype
        for item, parameter in zip(launch.arguments, launch.kernel.parameters, strict=True)
        if isinstance(item, Scratch) and parameter.dtype is not None
    }

    def resolve(item: Value | Scratch) -> np.ndarray:
        array = flat(item)
        return array.view(dtypes[item].numpy) if isinstance(item, Scratch) else array

    return resolve


def _copier(source: np.ndarray, target: np.ndarray) -> Run:
    return lambda: np.copyto(target, source)


class InterpretBackend:
    """Runs the Triton kernels on the CPU: slow, for tests of what a GPU would compute.

    Args:
        layerwise: no fusion crosses a layer (set by callers that run layer by layer).
    """

    name = "interpret"

    def __init__(self) -> None:
        from .launch.interpret import InterpretLauncher

        self._launcher = InterpretLauncher()

    def bind(
        self, graph: Graph, inputs: Mapping[str, Buffer], outputs: Mapping[str, Buffer]
    ) -> InterpretedGraph:
        compiled = compile_graph(graph, lower_node)
        return InterpretedGraph(compiled, self._launcher.bind, inputs, outputs)

"""Runs an artifact on the CPU: its IR text, through the reference interpreter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ir.graph import Graph, Port, PortKey, Role
from ir.interpret import peak_bytes
from ir.op import Property
from runtime.backends.reference import NumpyGraph
from runtime.machine.memory import physical_memory
from runtime.memory.buffers import Buffer

from .container import GRAPH, MOST_LINES
from .errors import ArtifactError
from .reader import Artifact

_VARIABLES = (Role.PARAMETER, Role.STATE)


class CpuRunner:
    """Holds a buffer per input, output and variable. Those that the graph writes keep their values.

    Raises :class:`ArtifactError` when graph, weights and manifest do not fit together.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._path = artifact.path
        graph = _parse(artifact)
        _require_memory(artifact, graph)
        weights = artifact.weights()
        inputs: dict[PortKey, Buffer] = {}
        for port in graph.inputs:
            buffer = inputs[port.key] = Buffer(port.value.type)
            if port.role in _VARIABLES:
                buffer.array[...] = self._weight(weights, port)
        outputs: dict[PortKey, Buffer] = {}
        for port in graph.outputs:
            key = port.key
            outputs[key] = inputs.get(key) or Buffer(port.value.type)
        self._inputs = self._ports(graph.inputs, inputs, Role.DATA)
        self._outputs = self._ports(graph.outputs, outputs, Role.RESULT)
        for kind, here, tensors in (
            ("inputs", self._inputs, artifact.manifest.inputs),
            ("outputs", self._outputs, artifact.manifest.outputs),
        ):
            stated = {tensor.name: tensor.type for tensor in tensors}
            if {name: buffer.type for name, buffer in here.items()} != stated:
                raise ArtifactError(self._path, f"the graph's {kind} are not the manifest's")
        self._graph = NumpyGraph(graph, inputs, outputs)
        self._names = [tensor.name for tensor in artifact.manifest.outputs]

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        for name, array in inputs.items():
            self._inputs[name].array[...] = array
        self._graph.run()
        return {name: self._outputs[name].array.copy() for name in self._names}

    def close(self) -> None:
        """The buffers go with the runner."""

    def _weight(self, weights: Mapping[str, np.ndarray], port: Port) -> np.ndarray:
        array = weights.get(port.name)
        if array is None:
            raise ArtifactError(self._path, f"there is no weight {port.name!r}")
        if array.shape != port.value.shape or array.dtype != port.value.type.dtype.numpy:
            raise ArtifactError(
                self._path,
                f"weight {port.name!r} is {array.dtype}{array.shape}, "
                f"the graph reads {port.value.type}",
            )
        return array

    @staticmethod
    def _ports(
        ports: tuple[Port, ...], buffers: Mapping[PortKey, Buffer], role: Role
    ) -> dict[str, Buffer]:
        return {p.name: buffers[p.key] for p in ports if p.role is role}


def _parse(artifact: Artifact) -> Graph:
    """The graph, held against the rules of the IR."""
    from ir.text import parse_graph
    from ir.verify import verify

    text = artifact.text(GRAPH)
    if text.count("\n") > MOST_LINES:
        raise ArtifactError(
            artifact.path, f"graph.txt has {text.count(chr(10))} lines; {MOST_LINES} are the limit"
        )
    try:
        graph = parse_graph(text)
        verify(graph)
    except Exception as error:  # whatever a forged text brings about
        made = artifact.manifest.versions.get("roastery", "unknown")
        raise ArtifactError(
            artifact.path, f"graph.txt is no sound graph (written by Roastery {made}): {error}"
        ) from error
    for node in graph.nodes:
        if node.op.properties & Property.HOST:
            raise ArtifactError(artifact.path, f"graph.txt calls back to the host: {node.op.name}")
    return graph


def _require_memory(artifact: Artifact, graph: Graph) -> None:
    """Refuse a graph whose live values exceed the machine's memory, before it fills it."""
    peak, there = peak_bytes(graph), physical_memory()
    if peak > there:
        raise ArtifactError(artifact.path, f"needs {peak} bytes of memory, the machine has {there}")

"""An artifact on an executor: the weights in buffers of its own, and a graph or plan over them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ir.errors import RoasteryError
from ir.graph import PortKey, Role
from ir.interpret import peak_bytes
from ir.types import TensorType
from runtime.backends.backend import BoundGraph, output_buffers
from runtime.backends.reference import NumpyGraph
from runtime.cuda.executor.graph import CudaGraph
from runtime.cuda.executor.session import Session
from runtime.cuda.launcher import KernelLoader
from runtime.machine.memory import physical_memory
from runtime.memory.buffers import Buffer

from .errors import ArtifactError
from .reader import Artifact

Buffers = dict[PortKey, Buffer]


BoundArtifact = tuple[BoundGraph, Buffers, Buffers]
"""What runs, and the buffers of its inputs and outputs. State in them stays from run to run."""


def bind_cpu(artifact: Artifact) -> BoundArtifact:
    """By numpy, as the ``cpu`` executor does. Raises :class:`ArtifactError`."""
    graph = artifact.graph()
    _require_memory(artifact, peak_bytes(graph))
    inputs, outputs = (
        {port.key: port.value.type for port in ports} for ports in (graph.inputs, graph.outputs)
    )
    buffers = _buffers(artifact, inputs, outputs)
    return NumpyGraph(graph, *buffers), *buffers


def bind_gpu(artifact: Artifact, session: Session) -> BoundArtifact:
    """By the kernels that are in it, as the ``cuda`` executor does. Raises :class:`ArtifactError`,
    and RoasteryError when the GPU has not the memory."""
    plan, code = artifact.plan()
    inputs, outputs = (
        {port.key: plan.buffers[port.buffer].type for port in ports}
        for ports in (plan.inputs, plan.outputs)
    )
    _require_memory(artifact, sum(type.nbytes for type in (inputs | outputs).values()))
    buffers = _buffers(artifact, inputs, outputs)
    loader = KernelLoader(session.device, session.compute)
    graph = CudaGraph(plan, {}, session, loader, lambda x: code[x.kernel, x.config], *buffers)
    try:
        graph.prepare()
    except RoasteryError as error:
        raise ArtifactError(artifact.path, error.message, hint=error.hint) from error
    return graph, *buffers


def _buffers(
    artifact: Artifact,
    inputs: Mapping[PortKey, TensorType],
    outputs: Mapping[PortKey, TensorType],
) -> tuple[Buffers, Buffers]:
    """A buffer for every port; those of variables hold the weights."""
    manifest = artifact.manifest
    for kind, role, ports, tensors in (
        ("inputs", Role.DATA, inputs, manifest.inputs),
        ("outputs", Role.RESULT, outputs, manifest.outputs),
    ):
        here = {key.name: type for key, type in ports.items() if key.role is role}
        if here != {tensor.name: tensor.type for tensor in tensors}:
            raise ArtifactError(artifact.path, f"its {kind} are not those of the manifest")
    weights = artifact.weights()
    taken: Buffers = {}
    for key, type in inputs.items():
        taken[key] = Buffer(type)
        if key.role is not Role.DATA:
            taken[key].array[...] = _weight(artifact, weights, key, type)
    return taken, output_buffers(outputs, taken)


def _weight(
    artifact: Artifact, weights: Mapping[str, np.ndarray], key: PortKey, type: TensorType
) -> np.ndarray:
    array = weights.get(key.name)
    if array is None:
        raise ArtifactError(artifact.path, f"there is no weight {key.name!r}")
    if array.shape != type.shape or array.dtype != type.dtype.numpy or type.layout is not None:
        raise ArtifactError(
            artifact.path, f"weight {key.name!r} is {array.dtype}{array.shape}, {type} is read"
        )
    return array


def _require_memory(artifact: Artifact, nbytes: int) -> None:
    """Refuse what exceeds the machine's memory, before it fills it."""
    there = physical_memory()
    if nbytes > there:
        raise ArtifactError(
            artifact.path, f"needs {nbytes} bytes of memory, the machine has {there}"
        )

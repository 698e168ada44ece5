"""An artifact on an executor: the weights in buffers of its own, and a graph or plan over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.graph import PortKey, Role
from ir.interpret import peak_bytes
from ir.types import TensorType
from ir.verify import WRITES
from runtime.backends.backend import BoundGraph
from runtime.backends.reference import NumpyGraph
from runtime.cuda.driver import Device, Driver
from runtime.cuda.executor.graph import CudaGraph
from runtime.cuda.executor.session import Session
from runtime.cuda.launcher import KernelLoader
from runtime.machine.memory import physical_memory
from runtime.memory.buffers import Buffer

from .errors import ArtifactError
from .reader import Artifact

Buffers = dict[PortKey, Buffer]


@dataclass
class BoundNet:
    """What runs, and the buffers of its ports. State in them stays from run to run."""

    graph: BoundGraph
    inputs: Buffers
    outputs: Buffers
    session: Session | None = None

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by name, for inputs of their types."""
        for name, array in arrays.items():
            self.inputs[PortKey(Role.DATA, name)].array[...] = array
        self.graph.run()
        return {
            key.name: buffer.peek().copy()
            for key, buffer in self.outputs.items()
            if key.role is Role.RESULT
        }

    def close(self) -> None:
        """Let go of the memory, the device's too; nothing runs any more."""
        del self.graph, self.inputs, self.outputs
        if self.session is not None:
            self.session.close()


def on_cpu(artifact: Artifact) -> BoundNet:
    """By numpy, as the ``cpu`` executor does. Raises :class:`ArtifactError`."""
    graph = artifact.graph()
    _require_memory(artifact, peak_bytes(graph))
    inputs = {port.key: port.value.type for port in graph.inputs}
    outputs = {port.key: port.value.type for port in graph.outputs}
    buffers = _buffers(artifact, inputs, outputs)
    return BoundNet(NumpyGraph(graph, *buffers), *buffers)


def on_gpu(artifact: Artifact, index: int = 0, driver: Driver | None = None) -> BoundNet:
    """By the kernels that are in it, as the ``cuda`` executor does.

    ``driver``: another driver than the machine's, for tests. Raises :class:`ArtifactError`.
    """
    plan, code = artifact.plan()
    inputs = {port.key: plan.buffers[port.buffer].type for port in plan.inputs}
    outputs = {port.key: plan.buffers[port.buffer].type for port in plan.outputs}
    _require_memory(artifact, sum(type.nbytes for type in (inputs | outputs).values()))
    buffers = _buffers(artifact, inputs, outputs)
    session = Session(Device(index, driver))
    loader = KernelLoader(session.device, session.compute)
    graph = CudaGraph(
        plan,
        {},
        session,
        loader,
        lambda launch: code[launch.kernel, launch.config],
        *buffers,
    )
    try:
        graph.prepare()
    except RoasteryError as error:
        raise ArtifactError(artifact.path, error.message, hint=error.hint) from error
    return BoundNet(graph, *buffers, session)


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
    given: Buffers = {}
    for key, type in outputs.items():
        variables = [taken.get(PortKey(role, key.name)) for role in WRITES.get(key.role, ())]
        given[key] = next((buffer for buffer in variables if buffer), None) or Buffer(type)
    return taken, given


def _weight(
    artifact: Artifact, weights: Mapping[str, np.ndarray], key: PortKey, type: TensorType
) -> np.ndarray:
    array = weights.get(key.name)
    if array is None:
        raise ArtifactError(artifact.path, f"there is no weight {key.name!r}")
    if array.shape != type.shape or array.dtype != type.dtype.numpy:
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

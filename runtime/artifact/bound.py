"""An artifact on an executor: its weights in buffers of their own, a graph or plan over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from compiler.plan.saved_sizes import saved_plan_at
from ir.errors import RoasteryError
from ir.graph import Graph, PortKey, Role
from ir.graph_sizes import graph_at
from ir.interpret import peak_bytes
from ir.types import TensorType
from ir.verify import verify
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
_Types = Mapping[PortKey, TensorType]
_Sizes = Mapping[str, int]

BoundArtifact = tuple[BoundGraph, Buffers, Buffers]
"""What runs, and the buffers of its inputs and outputs. State in them stays from run to run."""


class ArtifactRunner(Protocol):
    """All of an artifact that one kind of device needs."""

    @property
    def memory(self) -> ArtifactMemory: ...

    def bind(self, sizes: _Sizes) -> BoundArtifact:
        """At sizes that the artifact may have. Raises :class:`ArtifactError`."""
        ...


class CpuRunner:
    """By numpy, as the ``cpu`` executor does."""

    def __init__(self, artifact: Artifact, graph: Graph) -> None:
        self._graph = graph
        self.memory = ArtifactMemory(artifact)

    def bind(self, sizes: _Sizes) -> BoundArtifact:
        try:
            graph = graph_at(self._graph, sizes)
            verify(graph)
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            path = self.memory.path
            problem = f"its graph is not sound at {dict(sizes)}: {error}"
            raise ArtifactError(path, problem) from error
        inputs, outputs = (
            {port.key: port.value.type for port in ports} for ports in (graph.inputs, graph.outputs)
        )
        self.memory.require(peak_bytes(graph))
        buffers = self.memory.buffers(inputs, outputs, sizes)
        return NumpyGraph(graph, *buffers), *buffers


class GpuRunner:
    """By the kernels that are in it, as the ``cuda`` executor does.

    Binding raises RoasteryError when the GPU has not the memory.
    """

    def __init__(self, artifact: Artifact, session: Session) -> None:
        self._plan, self._code = artifact.plan()
        self._saved = artifact.manifest.sizes
        self.memory = ArtifactMemory(artifact)
        self._session = session
        self._loader = KernelLoader(session.device, session.compute)

    def bind(self, sizes: _Sizes) -> BoundArtifact:
        try:
            plan = saved_plan_at(self._plan, sizes, as_saved=sizes == self._saved)
        except ValueError as error:
            path = self.memory.path
            raise ArtifactError(path, f"its plan cannot have {dict(sizes)}: {error}") from error
        inputs, outputs = (
            {port.key: plan.buffers[port.buffer].type for port in ports}
            for ports in (plan.inputs, plan.outputs)
        )
        self.memory.require(sum(type.nbytes for type in (inputs | outputs).values()))
        buffers = self.memory.buffers(inputs, outputs, sizes)
        code = self._code
        graph = CudaGraph(
            plan, {}, self._session, self._loader, lambda x: code[x.kernel, x.config], *buffers
        )
        try:
            graph.prepare()
        except RoasteryError as error:
            raise ArtifactError(self.memory.path, error.message, hint=error.hint) from error
        return graph, *buffers


class ArtifactMemory:
    """Buffers for ports. Those of variables hold the weights, whatever sizes take turns.

    Attributes:
        computed: variables that are no weights, but were computed of them.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.path = artifact.path
        self._manifest = artifact.manifest
        self._weights = artifact.weights()
        self._variables: Buffers = {}
        self.computed: Buffers = {}

    def require(self, nbytes: int) -> None:
        """Refuse what exceeds the machine's memory, before it fills it."""
        there = physical_memory()
        if nbytes > there:
            raise ArtifactError(
                self.path, f"needs {nbytes} bytes of memory, the machine has {there}"
            )

    def buffers(self, inputs: _Types, outputs: _Types, sizes: _Sizes) -> tuple[Buffers, Buffers]:
        """A buffer for every port."""
        at = self._manifest.types_at(sizes)
        for kind, role, ports, types in (
            ("inputs", Role.DATA, inputs, at[0]),
            ("outputs", Role.RESULT, outputs, at[1]),
        ):
            if {key.name: type for key, type in ports.items() if key.role is role} != types:
                raise ArtifactError(self.path, f"its {kind} are not those of the manifest")
        taken = {
            key: Buffer(type) if key.role is Role.DATA else self._variable(key, type)
            for key, type in inputs.items()
        }
        return taken, output_buffers(outputs, taken)

    def _variable(self, key: PortKey, type: TensorType) -> Buffer:
        """The same at all sizes."""
        found = self.computed.get(key) or self._variables.get(key)
        if found is None:
            found = self._variables[key] = self.weight(key, type)
        elif found.type != type:
            raise ArtifactError(self.path, f"{key.name!r} is {found.type}; {type} is read there")
        return found

    def let_go(self) -> None:
        """Of weights in the order of the file: all variables are bound, for all sizes."""
        self._weights = {}

    def weight(self, key: PortKey, type: TensorType) -> Buffer:
        """A new buffer with a weight."""
        array = self._weights.get(key.name)
        if array is None:
            raise ArtifactError(self.path, f"there is no weight {key.name!r}")
        if array.shape != type.shape or array.dtype != type.dtype.numpy or type.layout is not None:
            raise ArtifactError(
                self.path, f"weight {key.name!r} is {array.dtype}{array.shape}, {type} is read"
            )
        buffer = Buffer(type)
        buffer.array[...] = array
        return buffer

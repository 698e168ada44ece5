"""An artifact on a device: its weights in buffers of their own, a graph or plan over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ir.ports import PortKey, Role
from ir.types import TensorType
from runtime.backends.backend import BoundGraph, output_buffers
from runtime.machine.memory import physical_memory
from runtime.memory.buffers import Buffer, Memory, padded_size

from .errors import ArtifactError
from .reader import Artifact
from .weights import ALIGNED

Buffers = dict[PortKey, Buffer]
_Types = Mapping[PortKey, TensorType]
SymbolValues = Mapping[str, int]

BoundArtifact = tuple[BoundGraph, Buffers, Buffers]
"""What runs, and the buffers of its inputs and outputs. State in them stays from run to run."""


class ArtifactRunner(Protocol):
    """All of an artifact that one kind of device needs."""

    @property
    def memory(self) -> ArtifactMemory: ...

    def bind(self, sizes: SymbolValues) -> BoundArtifact:
        """At sizes that the artifact may have. Raises :class:`ArtifactError`."""
        ...


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

    def buffers(
        self, inputs: _Types, outputs: _Types, sizes: SymbolValues
    ) -> tuple[Buffers, Buffers]:
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
        """A buffer with a weight: for reading alone, of what is only read."""
        array = self._weights.get(key.name)
        if array is None:
            raise ArtifactError(self.path, f"there is no weight {key.name!r}")
        if array.shape != type.shape or array.dtype != type.dtype.numpy or type.layout is not None:
            raise ArtifactError(
                self.path, f"weight {key.name!r} is {array.dtype}{array.shape}, {type} is read"
            )
        lies_well = array.ctypes.data % ALIGNED == 0 and array.nbytes % ALIGNED == 0
        if key.role is Role.PARAMETER and lies_well and array.size == padded_size(array.size):
            return Buffer(type, Memory.of(array))  # in the file
        buffer = Buffer(type)
        buffer.array[...] = array
        return buffer

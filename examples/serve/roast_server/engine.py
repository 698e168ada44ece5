"""What runs a net: inputs and outputs by name, arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

import roastery
from ir.graph import Role
from runtime.artifact import Artifact, Pictures

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Port:
    """An input or output. ``accepted``: its shape, with None where the size may be another."""

    shape: tuple[int, ...]
    dtype: np.dtype
    accepted: tuple[int | None, ...]

    def json(self, any_size: bool) -> dict[str, object]:
        """``any_size``: whether other sizes than that of the first axis may be others."""
        shape = [
            size if axis == 0 or any_size else usual
            for axis, (size, usual) in enumerate(zip(self.accepted, self.shape, strict=True))
        ]
        return {"shape": shape, "example": list(self.shape), "dtype": str(self.dtype)}


class Engine(Protocol):
    """A loaded net. ``run`` is called by one thread at a time."""

    name: str
    device: str
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    pictures: Pictures
    stateful: bool
    versions: Mapping[str, str]

    def run(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """Raises RoasteryError for sizes that it cannot have."""
        ...

    def close(self) -> None: ...


class RoasteryEngine:
    """An artifact. Raises RoasteryError where it cannot be loaded."""

    def __init__(self, path: Path, device: str = "", threads: int = 0) -> None:
        with Artifact.load(path) as artifact:
            ports = artifact.graph().inputs if "cpu" in artifact.manifest.targets else ()
            self.stateful = any(port.key.role is Role.STATE for port in ports)
        self._net = roastery.load(path, device or None, threads=threads or None)
        net, manifest = self._net, self._net.manifest
        self.name = manifest.name
        self.device = f"{net.device} {net.baseline}".strip()
        self.pictures = net.pictures
        self.versions = manifest.versions
        self.inputs = {
            name: Port(type.shape, type.dtype.numpy, net.accepted(name) or type.shape)
            for name, type in net.inputs.items()
        }
        self.outputs = {
            name: Port(type.shape, type.dtype.numpy, type.shape)
            for name, type in net.outputs.items()
        }

    def run(self, arrays: Arrays) -> dict[str, np.ndarray]:
        return self._net(**arrays)

    def close(self) -> None:
        self._net.close()

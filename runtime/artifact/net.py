"""An artifact as a callable: arrays by name in, arrays by name out."""

from __future__ import annotations

import difflib
import os
import re
import threading
from collections.abc import Mapping

import numpy as np

from ir.errors import RoasteryError
from ir.graph import PortKey, Role
from ir.types import TensorType
from runtime.cuda.driver import Device, Driver
from runtime.cuda.executor.session import Session

from .bound import bind_cpu, bind_gpu
from .manifest import Tensor
from .reader import Artifact


class LoadedNet:
    """A net from an artifact. Call it with its inputs by name; outputs are new arrays.

    State that the net carries from call to call (recurrent layers) stays in it.

    Attributes:
        manifest: names, types, versions and targets.
        device: ``cpu`` or ``cuda:0``.
    """

    def __init__(self, artifact: Artifact, device: str, driver: Driver | None = None) -> None:
        """``driver``: another one than the machine's, for tests. Raises :class:`ArtifactError`."""
        self.manifest = artifact.manifest
        self.device = device
        self._lock = threading.Lock()
        self._session: Session | None = None
        if device == "cpu":
            bound = bind_cpu(artifact)
        else:
            self._session = Session(Device(int(device.removeprefix("cuda:")), driver))
            bound = bind_gpu(artifact, self._session)
        self._graph, self._taken, self._given = bound

    @property
    def inputs(self) -> dict[str, TensorType]:
        return {tensor.name: tensor.type for tensor in self.manifest.inputs}

    @property
    def outputs(self) -> dict[str, TensorType]:
        return {tensor.name: tensor.type for tensor in self.manifest.outputs}

    def __call__(self, /, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """Raises :class:`RoasteryError` for inputs that do not fit."""
        for name in arrays:
            if name not in self.inputs:
                near = difflib.get_close_matches(name, self.inputs, 1)
                raise RoasteryError(
                    f"{self.manifest.name} has no input {name!r}; it has: "
                    f"{', '.join(self.inputs) or 'none'}",
                    hint=f"did you mean {near[0]!r}?" if near else None,
                )
        given = {tensor.name: _checked(tensor, arrays) for tensor in self.manifest.inputs}
        with self._lock:
            for name, array in given.items():
                self._taken[PortKey(Role.DATA, name)].array[...] = array
            self._graph.run()
            return {
                name: self._given[PortKey(Role.RESULT, name)].peek().copy() for name in self.outputs
            }

    def close(self) -> None:
        """Let go of the memory, the device's too; the net cannot be called any more."""
        with self._lock:
            if self._session is not None:
                del self._graph
                self._taken, self._given = {}, {}
                self._session.close()
                self._session = None


def _checked(tensor: Tensor, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """The input as a contiguous array of its type."""
    if tensor.name not in arrays:
        raise RoasteryError(f"input {tensor.name!r}: {tensor.type} is not given")
    array = np.asarray(arrays[tensor.name])
    if array.shape != tensor.type.shape:
        raise RoasteryError(
            f"input {tensor.name!r} has shape {array.shape}, the artifact takes "
            f"{tensor.type.shape}",
            hint="an artifact has fixed shapes: export the net with the shape you need",
        )
    wanted = tensor.type.dtype.numpy
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and wanted.kind in "iub"):
        raise RoasteryError(
            f"input {tensor.name!r} holds {array.dtype}, the artifact takes {wanted}"
        )
    return np.ascontiguousarray(array, dtype=wanted)


def load(path: str | os.PathLike[str], device: str | None = None) -> LoadedNet:
    """A net from an artifact, ready to be called; needs neither a parser nor a compiler.

    Args:
        path: a file that ``roastery export`` wrote.
        device: ``cpu`` (or ``reference``), ``cuda`` or ``cuda:N``; by default CUDA where there
            is one and the artifact has code for it, else the CPU.

    Raises :class:`RoasteryError`: a damaged file, a device that is not there, no code for it.
    """
    with Artifact.load(path) as artifact:
        chosen = _choose_device(artifact, device)
        return LoadedNet(artifact, chosen)


def _choose_device(artifact: Artifact, device: str | None) -> str:
    from runtime.cuda.driver import available

    targets = artifact.manifest.targets
    on_cpu, on_cuda = "cpu" in targets, any(t.startswith("cuda:") for t in targets)
    exported = f"{artifact.path} was exported for {', '.join(targets)}"
    if device is None:
        found = available()
        if on_cuda and found:
            return "cuda:0"
        if on_cpu:
            return "cpu"
        raise RoasteryError(
            f"{exported}, and there is no GPU: {found.reason}",
            hint="export it with --target cpu as well",
        )
    if device in ("cpu", "reference"):
        if on_cpu:
            return "cpu"
        raise RoasteryError(f"{exported}, not for the CPU", hint="export it with --target cpu")
    if re.fullmatch(r"cuda(:\d{1,4})?", device):
        if not on_cuda:
            raise RoasteryError(
                f"{exported}, not for a GPU", hint="export it with --target cuda:sm_80"
            )
        if not (found := available()):
            raise RoasteryError(f"device {device} is not there: {found.reason}")
        return device if ":" in device else "cuda:0"
    raise RoasteryError(f"unknown device {device!r}", hint="devices: cpu, cuda, cuda:N")

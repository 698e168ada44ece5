"""An artifact as a callable: arrays by name in, arrays by name out."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from compiler.last_used import LastUsed
from ir.errors import RoasteryError
from ir.found_rows import counted_results, tells_rows
from ir.ports import PortKey, Role
from ir.program_sizes import OtherSizes
from ir.size import Size
from ir.types import TensorType

from ..cpu.launches import INTERFACE
from ..machine.processor import cpu_target
from ..machine.threads import number_of_threads
from ..net_line import net_line
from .bound import ArtifactRunner, BoundArtifact, Buffers
from .compiled_cpu import CompiledRunner, best_baseline
from .errors import ArtifactError
from .reader import Artifact

if TYPE_CHECKING:
    from runtime.cuda.driver import Driver
    from runtime.cuda.executor.session import Session

_LOGGER = logging.getLogger("roastery.devices")

Shape = tuple[int, ...]

_KEPT = 8
"""For so many sizes it stays planned."""


class LoadedNet:
    """A net from an artifact. Call it with its inputs by name; outputs are new arrays.

    Inputs may have another batch or image size than the net was exported with, as far as its layers
    let them: then it is planned again, by what is in the artifact. State that the net carries from
    call to call (recurrent layers) stays in it.

    Attributes:
        manifest: names, types, versions and targets.
        device: ``cpu``, ``reference`` or ``cuda:0``.
        baseline: the instructions that the CPU's machine code is for; "": numpy runs the graph.
        pictures: how they become its input, and the names of its classes.
        inputs, outputs: their types by name, as the net was exported; of an output whose number of
            rows a run tells (detections), with as many as there could be.
    """

    def __init__(
        self,
        artifact: Artifact,
        device: str,
        driver: Driver | None = None,
        threads: int | None = None,
    ) -> None:
        """``driver``: another one than the machine's, for tests. Raises :class:`ArtifactError`."""
        self.manifest = artifact.manifest
        self.pictures = artifact.pictures()
        self.device = device
        self._lock = threading.Lock()
        self._closed = False
        self._session: Session | None = None
        self._path, self._layers = artifact.path, artifact.layers()
        self.baseline = ""
        self._runner: ArtifactRunner
        if device in ("cpu", "reference"):
            compiled = None if device == "reference" else _compiled(artifact, threads)
            self.baseline, self._runner = compiled or ("", _by_numpy(artifact))
        else:
            from runtime.cuda.driver import Device
            from runtime.cuda.executor.session import Session

            from .by_cuda import GpuRunner

            self._session = Session(Device(int(device.removeprefix("cuda:")), driver))
            self._runner = GpuRunner(artifact, self._session)
        self._sizes = self.manifest.program_sizes
        self.inputs, outputs = self.manifest.types_at(self.manifest.sizes)
        self.outputs = {name: t for name, t in outputs.items() if not tells_rows(name)}
        counted = counted_results(outputs).items()
        self._counted = {
            name: each
            for name, each in counted
            if name in outputs and each[1] < len(outputs[name].shape)
        }
        self._bound: LastUsed[tuple[Shape, ...], BoundArtifact] = LastUsed(_KEPT)
        self._shapes = {name: type.shape for name, type in self.inputs.items()}
        self._at(self._shapes)
        self._runner.memory.let_go()

    def __repr__(self) -> str:
        facts = [f"on {self.device}{f' ({self.baseline})' if self.baseline else ''}"]
        inputs = {name: type.shape for name, type in self.inputs.items()}
        outputs = {name: type.shape for name, type in self.outputs.items()}
        return net_line("LoadedNet", self.manifest.name, facts, inputs, outputs)

    def accepted(self, name: str) -> tuple[int | None, ...] | None:
        """The shape of an input, with None for what may change; None where there is no such one."""
        for tensor in self.manifest.inputs:
            if tensor.name == name:
                return tuple(None if isinstance(d, Size) else d for d in tensor.shape)
        return None

    def __call__(self, /, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """Raises :class:`RoasteryError` for inputs that do not fit."""
        for name in arrays:
            if name not in self.inputs:
                import difflib

                near = difflib.get_close_matches(name, self.inputs, 1)
                raise RoasteryError(
                    f"{self.manifest.name} has no input {name!r}; it has: "
                    f"{', '.join(self.inputs) or 'none'}",
                    hint=f"did you mean {near[0]!r}?" if near else None,
                )
        taken = {name: _checked(name, type, arrays) for name, type in self.inputs.items()}
        with self._lock:
            if self._closed:
                raise RoasteryError(f"{self.manifest.name} was closed, and runs no more")
            shapes = {name: a.shape for name, a in taken.items()}
            graph, inputs, outputs = self._at(shapes)
            self._shapes = shapes
            for name, array in taken.items():
                inputs[PortKey(Role.DATA, name)].put(array)
            graph.run()
            return {name: self._result(name, outputs) for name in self.outputs}

    def summary(self) -> None:
        """Print the layers of the net that was exported as a table: shapes, parameters,
        multiply-adds, bytes, and sums, at the shapes of the last call.

        Raises :class:`RoasteryError` where the artifact does not say what they were.
        """
        from .layers import count_at

        print(count_at(self._layers, self._sizes_of(self._shapes), self._path), end="")

    def _result(self, name: str, outputs: Buffers) -> np.ndarray:
        """A copy of an output; of one whose number of rows a run tells, those that it found."""
        array = outputs[PortKey(Role.RESULT, name)].peek()
        if name in self._counted:
            number, axis = self._counted[name]
            (count,) = outputs[PortKey(Role.RESULT, number)].peek()
            array = array[(*(slice(None),) * axis, slice(0, count))]
        return array.copy()

    def _sizes_of(self, shapes: Mapping[str, Shape]) -> Mapping[str, int]:
        """What the symbols of sizes are where the inputs have these shapes."""
        exported = {name: type.shape for name, type in self.inputs.items()}
        other = [name for name, shape in shapes.items() if shape != exported[name]]
        if not other:
            return self.manifest.sizes
        problem = (
            f"input {other[0]!r} has shape {shapes[other[0]]}, the artifact takes "
            f"{exported[other[0]]}"
        )
        if self._sizes is None:
            raise RoasteryError(
                problem,
                hint="this artifact has fixed shapes: export the net with the shape you need",
            )
        try:
            return self._sizes.values_for(shapes)
        except OtherSizes as error:
            raise RoasteryError(
                f"{problem}, and cannot take this one: {error}",
                hint="export the net with the shape you need; `roastery inspect` shows what may "
                "change",
            ) from None

    def _at(self, shapes: Mapping[str, Shape]) -> BoundArtifact:
        """What runs where the inputs have these shapes; kept for the last few."""
        return self._bound.get(
            tuple(shapes.values()), lambda: self._runner.bind(self._sizes_of(shapes))
        )

    def close(self) -> None:
        """Let go of the memory, the device's too; the net cannot be called any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._bound.clear()
            del self._runner
            if self._session is not None:
                self._session.close()


def _checked(name: str, type: TensorType, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """The input, whose elements can be taken for those of its type."""
    if name not in arrays:
        raise RoasteryError(f"input {name!r}: {type} is not given")
    wanted = type.dtype.numpy
    try:
        array = np.asarray(arrays[name])
    except (ValueError, OverflowError) as error:
        raise RoasteryError(f"input {name!r} is no array of {wanted}: {error}") from None
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and wanted.kind in "iub"):
        raise RoasteryError(f"input {name!r} holds {array.dtype}, the artifact takes {wanted}")
    return array


def load(
    path: str | os.PathLike[str], device: str | None = None, *, threads: int | None = None
) -> LoadedNet:
    """A net from an artifact, ready to be called; needs neither a parser nor a compiler.

    Machine code in it runs as it is: load artifacts from whom you would run a program from.

    Args:
        path: a file that ``roastery export`` wrote.
        device: ``cpu``, ``reference`` (numpy, and none of the machine code in it), ``cuda`` or
            ``cuda:N``; by default CUDA where there is one and the artifact has code for it, else
            the CPU.
        threads: as in :func:`roastery.compile`.

    Raises :class:`RoasteryError`: a damaged file, a device that is not there, no code for it.
    """
    with Artifact.open(path) as artifact:
        try:
            chosen = _choose_device(artifact, device)
            net = LoadedNet(artifact, chosen, threads=threads)
        except ArtifactError:
            artifact.finish()  # damage comes before what follows from it
            raise
        artifact.finish()
        return net


def _by_numpy(artifact: Artifact) -> ArtifactRunner:
    from .by_numpy import CpuRunner

    return CpuRunner(artifact, artifact.graph())


def _compiled(artifact: Artifact, threads: int | None) -> tuple[str, ArtifactRunner] | None:
    """The best machine code that there is for this CPU, with its name; None where numpy has to run
    the graph, which is told where code for other CPUs is there."""
    entries = artifact.cpu_entries()
    there = {name: entry for name, entry in entries.items() if entry.interface == INTERFACE}
    machine = cpu_target()
    count = number_of_threads(threads, machine.processors)
    best = best_baseline(there, machine.instructions)
    if best is None:
        if entries:
            _LOGGER.warning(
                "%s has machine code for %s, not for this CPU (%s)%s: numpy runs it, slowly",
                artifact.path,
                ", ".join(entries),
                machine.instructions,
                "" if there == entries else " and this version of Roastery",
            )
        return None
    code = artifact.cpu_code(there[best])
    try:
        return best, CompiledRunner(artifact, code, count)
    except ArtifactError:
        raise
    except RoasteryError as error:
        _LOGGER.warning(
            "%s: %s: numpy runs it, slowly", artifact.path, error.message.partition("\n")[0]
        )
        return None


def _choose_device(artifact: Artifact, device: str | None) -> str:
    targets = artifact.manifest.targets
    on_cpu, on_cuda = "cpu" in targets, any(t.startswith("cuda:") for t in targets)
    exported = f"{artifact.path} was exported for {', '.join(targets)}"
    if device is None:
        if on_cpu and not on_cuda:
            return "cpu"
        from runtime.cuda.driver import available

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
            return device
        raise RoasteryError(f"{exported}, not for the CPU", hint="export it with --target cpu")
    if re.fullmatch(r"cuda(:\d{1,4})?", device):
        if not on_cuda:
            raise RoasteryError(
                f"{exported}, not for a GPU", hint="export it with --target cuda:sm_80"
            )
        from runtime.cuda.driver import available

        if not (found := available()):
            raise RoasteryError(f"device {device} is not there: {found.reason}")
        return device if ":" in device else "cuda:0"
    raise RoasteryError(f"unknown device {device!r}", hint="devices: cpu, reference, cuda, cuda:N")

"""Reading an artifact: a member's checksum is compared as it is read, before it is used.

Of the weights, which are most of a file, it is compared beside all that: :meth:`Artifact.finish`
waits for it, before any machine code is loaded and before there are results.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compiler.collector import collector_paused
from compiler.plan.check import check_plan
from compiler.plan.plan import HostStep, Plan
from compiler.plan.saved import plan_from_json, symbols_in_data
from compiler.plan.saved_sizes import saved_plan_at
from ir.types import DType, TensorType

from .code import Code, read_code
from .container import CODE, GRAPH, LAYERS, MANIFEST, MOST_LINES, PLAN, WEIGHTS, Archive, json_value
from .cpu_code import CPU_CODE, CpuCode, CpuEntry, read_cpu_code, read_entries
from .errors import MALFORMED, ArtifactError
from .manifest import FormatTooNew, Manifest
from .pictures import PICTURES, Pictures, read_pictures
from .planned import PLANNED, Layouts, PlannedSizes, layouts_of, read_planned
from .weights import mapped_weights

if TYPE_CHECKING:
    from ir.graph import Graph
    from ir.op import Op


class Artifact(AbstractContextManager["Artifact"]):
    """An artifact whose members are as they were written.

    Checksums find damage. They are no signature: like a program, an artifact should come
    from someone trusted, since its machine code runs.
    """

    def __init__(self, archive: Archive, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest
        self._problem: ArtifactError | None = None
        self._thread = threading.Thread(target=self._check, daemon=True)
        self._thread.start()

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Artifact:
        """Open and check a file. Raises :class:`ArtifactError`, saying what is wrong with it."""
        artifact = Artifact.open(path)
        artifact.finish()
        return artifact

    @staticmethod
    def open(path: str | os.PathLike[str]) -> Artifact:
        """Open a file whose rest is checked while it is used; see :meth:`finish`."""
        archive = Archive(Path(path))
        try:
            manifest = _manifest(archive)
            for name, member in manifest.members.items():
                archive.check_size(name, member.size)
        except ArtifactError:
            archive.close()
            raise
        return Artifact(archive, manifest)

    def _check(self) -> None:
        """All of the file. What is compressed in one with a seal is as it was written, and its
        own checksum is compared when it is read."""
        archive = self._archive
        try:
            if archive.seal is not None:
                archive.check_seal()
            for name, member in self.manifest.members.items():
                if archive.seal is None or archive.is_stored(name):
                    archive.verify(name, member.sha256)
        except ArtifactError as error:
            self._problem = error

    def finish(self) -> None:
        """Wait until all of the file has been compared. Raises :class:`ArtifactError`."""
        self._thread.join()
        if self._problem is not None:
            self.close()
            raise self._problem

    @property
    def path(self) -> Path:
        return self._archive.path

    def read(self, name: str) -> bytes:
        """A member, such as ``kernels/conv1_relu1.py``."""
        member = self.manifest.members.get(name)
        if member is None:
            return self._archive.read(name)
        return bytes(self._archive.verify(name, member.sha256))

    def text(self, name: str) -> str:
        try:
            return self.read(name).decode()
        except UnicodeDecodeError as error:
            raise ArtifactError(self.path, f"{name} is no text: {error}") from error

    def weights(self) -> dict[str, np.ndarray]:
        """Parameters and state by variable name, for reading: they lie in the file."""
        try:
            return mapped_weights(self._archive.view(WEIGHTS))
        except MALFORMED as error:
            raise ArtifactError(self.path, f"{WEIGHTS} is malformed: {error}") from error

    def pictures(self) -> Pictures:
        """How pictures become its input, and the names of its classes.

        Raises :class:`ArtifactError`.
        """
        if PICTURES not in self.manifest.members:
            return Pictures()
        types, _ = self.manifest.types_at(self.manifest.sizes)
        try:
            return read_pictures(self.read, {name: type.shape for name, type in types.items()})
        except MALFORMED as error:
            raise ArtifactError(self.path, str(error)) from error

    def graph(self) -> Graph:
        """What the CPU runs at any sizes, held against the rules of the IR.

        Raises :class:`ArtifactError`.
        """
        from ir.graph_sizes import at_hand
        from ir.text import parse_graph
        from ir.verify import verify

        from .sizes import check_forms

        text = self.text(GRAPH)
        lines = text.count("\n")
        if lines > MOST_LINES:
            raise ArtifactError(self.path, f"{GRAPH} has {lines} lines; {MOST_LINES} are the limit")
        try:
            check_forms(text)
            graph = parse_graph(text)
            verify(graph)
            self._check_sizes(at_hand(graph))
        except Exception as error:  # whatever a forged text brings about
            made = self.manifest.versions.get("roastery", "unknown")
            raise ArtifactError(
                self.path, f"{GRAPH} is no sound graph (written by Roastery {made}): {error}"
            ) from error
        for node in graph.nodes:
            if calls_back(node.op):
                raise ArtifactError(self.path, f"{GRAPH} calls back to the host: {node.op.name}")
        return graph

    @collector_paused()
    def plan(self) -> tuple[Plan, Code]:
        """What a GPU runs at any sizes, held against those that it was exported with.

        Raises :class:`ArtifactError`, also when there is none for any GPU.
        """
        if PLAN not in self.manifest.members:
            raise ArtifactError(
                self.path,
                f"was exported for {', '.join(self.manifest.targets)} only",
                hint="export it again with --target cuda:sm_80",
            )
        try:
            data = json_value(self.read(PLAN))
            if self.manifest.format == 1:
                from .version1 import read_version1

                weights = {name: _type(array) for name, array in self.weights().items()}
                plan, code = read_version1(data, self.manifest, weights, self.read)
                check_plan(plan)
            else:
                plan = plan_from_json(data)
                self._check_sizes({s.key: s.value for s in symbols_in_data(plan)})
                saved_plan_at(plan, self.manifest.sizes, as_saved=True)
                code = read_code(plan, json_value(self.read(CODE)), self.read)
            for step in plan.steps:
                if isinstance(step, HostStep):
                    raise ValueError(f"it calls back to the host: {step.op}")
        except MALFORMED as error:
            raise ArtifactError(self.path, f"the launch plan is malformed: {error}") from error
        return plan, code

    @collector_paused()
    def planned(self) -> tuple[PlannedSizes, ...]:
        """Sizes that were planned for in advance. Raises :class:`ArtifactError`."""
        if PLANNED not in self.manifest.members:
            return ()
        try:
            planned = read_planned(self.read(PLANNED), self.manifest.sizes)
            for each in planned:
                self.manifest.types_at(each.sizes)
            return planned
        except (*MALFORMED, ArithmeticError) as error:
            raise ArtifactError(self.path, f"{PLANNED} is malformed: {error}") from error

    def layers(self) -> bytes | None:
        """What its layers take, as it is written; None: it does not say.

        Raises :class:`ArtifactError`.
        """
        return self.read(LAYERS) if LAYERS in self.manifest.members else None

    def layouts(self, plan: str) -> Layouts:
        """Where buffers of a plan lie at these, by the name of its member."""
        return layouts_of(self.planned(), plan)

    def cpu_entries(self) -> dict[str, CpuEntry]:
        """The baselines that there is machine code for, by name. Raises :class:`ArtifactError`."""
        if CPU_CODE not in self.manifest.members:
            return {}
        try:
            return {entry.instructions: entry for entry in read_entries(self.read(CPU_CODE))}
        except MALFORMED as error:
            raise ArtifactError(self.path, f"{CPU_CODE} is malformed: {error}") from error

    @collector_paused()
    def cpu_code(self, entry: CpuEntry) -> CpuCode:
        """What a CPU of a baseline runs at any sizes. Raises :class:`ArtifactError`."""
        try:
            return read_cpu_code(entry, self.manifest.sizes, self.read)
        except MALFORMED as error:
            name = entry.instructions
            raise ArtifactError(self.path, f"its code for {name} is malformed: {error}") from error

    def _check_sizes(self, sizes: Mapping[str, int]) -> None:
        """Raise ValueError where symbols are other ones than in the manifest."""
        if not sizes.items() <= (known := self.manifest.sizes).items():
            raise ValueError(f"its sizes are {sizes}, those of the manifest {known}")

    def close(self) -> None:
        self._thread.join()
        self._archive.close()

    def __exit__(self, *error: object) -> None:
        self.close()


def calls_back(op: Op) -> bool:
    """Whether an op is more than a function of its inputs that gives results of one size."""
    from ir.op import Property

    return bool(op.properties & (Property.EFFECT | Property.DYNAMIC))


def _type(array: np.ndarray) -> TensorType:
    """Raises ValueError for elements that no tensor has."""
    for dtype in DType:
        if dtype.numpy == array.dtype:
            return TensorType(array.shape, dtype)
    raise ValueError(f"weights of {array.dtype}")


def _manifest(archive: Archive) -> Manifest:
    try:
        manifest = Manifest.decode(json_value(archive.read(MANIFEST)))
    except FormatTooNew as error:
        raise ArtifactError(archive.path, str(error), hint="update Roastery") from error
    except MALFORMED as error:
        raise ArtifactError(archive.path, f"the manifest is malformed: {error}") from error
    listed, present = {*manifest.members, MANIFEST}, set(archive.names)
    for name in sorted(present - listed):
        raise ArtifactError(archive.path, f"member {name} is not in the manifest")
    for name in (GRAPH, WEIGHTS, *sorted(listed)):
        if name not in present:
            raise ArtifactError(archive.path, f"{name} is missing")
    return manifest

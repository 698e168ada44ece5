"""Reading an artifact: every checksum is compared before anything of it is used."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .container import MANIFEST, WEIGHTS, Archive
from .errors import ArtifactError
from .fields import parse_json
from .manifest import FormatTooNew, Manifest
from .plan import WEIGHT, LaunchPlan, StoredAllocation, StoredCopy, StoredLaunch, plan_from_json


class Artifact:
    """An artifact whose members are as they were written.

    Checksums find damage. They are no signature: like a program, an artifact should come
    from someone trusted, since its machine code runs on the GPU.
    """

    def __init__(self, archive: Archive, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Artifact:
        """Open and check a file. Raises :class:`ArtifactError`, saying what is wrong with it."""
        archive = Archive(Path(path))
        try:
            manifest = _manifest(archive)
            for name, (size, sha256) in manifest.members.items():
                archive.verify(name, size, sha256)
        except BaseException:
            archive.close()
            raise
        return Artifact(archive, manifest)

    @property
    def path(self) -> Path:
        return self._archive.path

    def read(self, name: str) -> bytes:
        """A member, such as ``kernels/conv1_relu1.py``."""
        return self._archive.read(name)

    def text(self, name: str) -> str:
        try:
            return self.read(name).decode()
        except UnicodeDecodeError as error:
            raise ArtifactError(self.path, f"{name} is no text: {error}") from error

    def weights(self) -> dict[str, np.ndarray]:
        """Parameters and state by variable name."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return load(self.read(WEIGHTS))
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(self.path, f"{WEIGHTS} is malformed: {error}") from error

    def plan(self) -> LaunchPlan:
        """What a GPU does. Raises :class:`ArtifactError` when there is none for any GPU."""
        if "plan.json" not in self.manifest.members:
            raise ArtifactError(
                self.path,
                f"was exported for {', '.join(self.manifest.targets)} only",
                hint="export it again with --target cuda:sm_80",
            )
        try:
            return plan_from_json(parse_json(self.read("plan.json"), "plan.json"), self.read)
        except (ValueError, TypeError) as error:
            raise ArtifactError(self.path, f"the launch plan is malformed: {error}") from error

    def check_places(self, plan: LaunchPlan, weights: dict[str, int]) -> None:
        """Compare every place in the plan with the memory there will be.

        ``weights``: bytes by name. Raises :class:`ArtifactError`.
        """
        sizes = {tensor.name: tensor.type.nbytes for tensor in self.manifest.inputs}
        results = {tensor.name: tensor.type.nbytes for tensor in self.manifest.outputs}
        for kind, ports, expected in (
            ("inputs", plan.inputs, sizes),
            ("outputs", plan.outputs, results),
        ):
            if {name for name, _ in ports} != set(expected):
                raise ArtifactError(
                    self.path, f"the launch plan's {kind} are not those of the manifest"
                )

        def check(place: StoredAllocation, nbytes: int, what: str) -> None:
            if place.space == WEIGHT and place.weight not in weights:
                raise ArtifactError(self.path, f"{what}: there is no weight {place.weight!r}")
            room = weights[place.weight] if place.space == WEIGHT else plan.arena_bytes
            if place.offset + nbytes > room:
                raise ArtifactError(
                    self.path, f"{what}: {nbytes} bytes at {place.offset} exceed {room}"
                )

        for name, place in plan.inputs:
            check(place, sizes[name], f"input {name}")
        for name, place in plan.outputs:
            check(place, results[name], f"output {name}")
        for number, step in enumerate(plan.steps):
            what = f"step {number} of the launch plan"
            if isinstance(step, StoredCopy):
                check(step.source, step.nbytes, what)
                check(step.target, step.nbytes, what)
            elif isinstance(step, StoredLaunch):
                for argument in step.arguments:
                    if isinstance(argument, StoredAllocation):
                        check(argument, 0, what)

    def close(self) -> None:
        self._archive.close()

    def __enter__(self) -> Artifact:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        self.close()


def _manifest(archive: Archive) -> Manifest:
    try:
        manifest = Manifest.decode(parse_json(archive.read(MANIFEST), MANIFEST))
    except FormatTooNew as error:
        raise ArtifactError(archive.path, str(error), hint="update Roastery") from error
    except (ValueError, TypeError) as error:
        raise ArtifactError(archive.path, f"the manifest is malformed: {error}") from error
    listed, present = {*manifest.members, MANIFEST}, set(archive.names)
    for name in sorted(present - listed):
        raise ArtifactError(archive.path, f"member {name} is not in the manifest")
    for name in ("graph.txt", WEIGHTS, *sorted(listed)):
        if name not in present:
            raise ArtifactError(archive.path, f"{name} is missing")
    return manifest

"""The first member of an artifact: what it is, what it takes and gives, and checksums."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.options import CompileOptions
from ir.types import DType, TensorType

from .container import MANIFEST, digest
from .fields import LARGEST, Fields, checked_integer

FORMAT = 1
"""Raised when an older Roastery could not read what a newer one writes."""

_MOST_DIMENSIONS = 32


class FormatTooNew(ValueError):
    """The artifact was written in a later format."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output by its blob's name."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True)
class Manifest:
    """``targets``: what the artifact was exported for, ``cpu`` or ``cuda:sm_90``.

    ``versions``: of the packages that made it, by name. ``options``: what their compiler was asked
    for. ``members``: size and SHA-256 of every other member of the archive.
    """

    name: str
    versions: Mapping[str, str]
    targets: tuple[str, ...]
    options: CompileOptions
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    members: Mapping[str, tuple[int, str]]

    def encode(self) -> bytes:
        data = {
            "format": FORMAT,
            "name": self.name,
            "versions": dict(self.versions),
            "targets": list(self.targets),
            "options": self.options.json(),
            "inputs": [_tensor_json(tensor) for tensor in self.inputs],
            "outputs": [_tensor_json(tensor) for tensor in self.outputs],
            "members": {
                name: {"size": size, "sha256": sha256}
                for name, (size, sha256) in sorted(self.members.items())
            },
        }
        return (json.dumps(data, indent=1) + "\n").encode()

    @staticmethod
    def decode(fields: Fields) -> Manifest:
        """Inverse of :meth:`encode`. Raises ValueError, or FormatTooNew."""
        written = fields.integer("format", low=1)
        versions = fields.raw("versions")
        if not all(isinstance(version, str) for version in versions.values()):
            raise ValueError(f"{fields.where}: versions are texts")
        if written > FORMAT:
            maker = versions.get("roastery", "a newer version")
            raise FormatTooNew(
                f"was written by Roastery {maker} in format {written}; "
                f"this one reads format {FORMAT}"
            )
        targets = fields.array("targets")
        if not all(isinstance(t, str) and re.fullmatch(r"cpu|cuda:sm_\d+", t) for t in targets):
            raise ValueError(f"{fields.where}: unknown targets {targets!r:.80}")
        members = {}
        for name in fields.raw("members"):
            member = fields.object("members").object(name)
            members[name] = (member.integer("size"), member.text("sha256"))
        return Manifest(
            name=fields.text("name"),
            versions=versions,
            targets=tuple(targets),
            options=_options(fields),
            inputs=_tensors(fields, "inputs"),
            outputs=_tensors(fields, "outputs"),
            members=members,
        )


def member_table(members: Mapping[str, bytes]) -> dict[str, tuple[int, str]]:
    """Sizes and checksums of all members but the manifest."""
    return {name: (len(data), digest(data)) for name, data in members.items() if name != MANIFEST}


def _options(fields: Fields) -> CompileOptions:
    """Artifacts were planned for any GPU, in ``ieee``, before they said by what."""
    if "options" not in fields:
        return CompileOptions()
    try:
        return CompileOptions.from_json(fields.raw("options"))
    except ValueError as error:
        raise ValueError(f"{fields.where}: options: {error}") from error


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.type.shape),
        "dtype": tensor.type.dtype.value,
    }


def _tensors(fields: Fields, kind: str) -> tuple[Tensor, ...]:
    tensors = []
    for number, value in enumerate(fields.array(kind)):
        entry = Fields(value, f"{fields.where}: {kind} {number}")
        shape = tuple(checked_integer(n, f"{entry.where}: shape") for n in entry.array("shape"))
        dtype = DType(entry.text("dtype"))  # ValueError
        type = TensorType(shape, dtype)
        if len(shape) > _MOST_DIMENSIONS or type.nbytes > LARGEST:
            raise ValueError(f"{entry.where}: {type} is too large")
        tensors.append(Tensor(entry.text("name"), type))
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise ValueError(f"{fields.where}: {kind} share a name")
    return tuple(tensors)

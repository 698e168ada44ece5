"""The first member of an artifact: what it is, what it takes and gives, and checksums."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compiler.options import CompileOptions
from compiler.plan.codec import from_json, to_json
from compiler.plan.saved import sizes_from_json, symbols_in_data
from ir.program_sizes import ProgramSizes
from ir.size import Scope, Size
from ir.type_sizes import TypeSubstitution
from ir.types import DType, TensorType

from .container import MANIFEST, digest, json_bytes
from .sizes import SizeCondition, require_conditions

FORMAT = 2
"""Raised when an older Roastery could not read what a newer one writes. In format 1 another plan
was written, which :mod:`.version1` reads."""


_GENERIC = CompileOptions.from_json({})


class FormatTooNew(ValueError):
    """The artifact was written in a later format."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output by its blob's name. What may change of its shape is a size."""

    name: str
    shape: tuple[int, ...]
    dtype: DType

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)


@dataclass(frozen=True, slots=True)
class Member:
    """Bytes and SHA-256 of a member of the archive."""

    size: int
    sha256: str

    @staticmethod
    def of(data: bytes) -> Member:
        return Member(len(data), digest(data))


@dataclass(frozen=True, slots=True)
class Manifest:
    """``targets``: what the artifact was exported for, ``cpu`` or ``cuda:sm_90``.

    ``versions``: of the packages that made it, by name. ``options``: what their compiler was asked
    for; artifacts were planned for any GPU, in ``ieee``, before they said it. ``members``: all of
    the archive but this one.

    ``sizes``: what the symbols in shapes were when it was exported. ``conditions``: what has to
    hold for it to run at others.
    """

    format: int
    name: str
    versions: dict[str, str]
    targets: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    members: dict[str, Member]
    options: CompileOptions = _GENERIC
    sizes: dict[str, int] = field(default_factory=dict)
    conditions: tuple[SizeCondition, ...] = ()

    @property
    def program_sizes(self) -> ProgramSizes | None:
        """Its symbols and conditions; None where no size may change."""
        for tensor in self.inputs:
            for extent in tensor.shape:
                if isinstance(extent, Size):
                    types = {tensor.name: tensor.type for tensor in self.inputs}
                    return ProgramSizes(extent.scope, types, {}, ())
        return None

    def types_at(self, sizes: Mapping[str, int]) -> tuple[dict[str, TensorType], ...]:
        """Of inputs and of outputs, by name."""
        at = TypeSubstitution(sizes)
        return tuple(
            {tensor.name: at.type(tensor.type) for tensor in tensors}
            for tensors in (self.inputs, self.outputs)
        )

    def encode(self) -> bytes:
        return json_bytes(to_json(self))

    @staticmethod
    def decode(data: Any) -> Manifest:
        """Inverse of :meth:`encode`. Raises ValueError, or FormatTooNew."""
        _check_format(data)
        scope = Scope()
        sizes = sizes_from_json(data.get("sizes", {}), scope)
        found: Manifest = from_json(Manifest, data, MANIFEST, sizes)
        if any(symbols_in_data(replace(found, inputs=(), outputs=(), conditions=()))):
            raise ValueError(f"{MANIFEST}: a size stands where only a number can")
        if not all(re.fullmatch(r"cpu|cuda:sm_\d+", target) for target in found.targets):
            raise ValueError(f"{MANIFEST}: unknown targets {found.targets!r:.80}")
        for tensors in (found.inputs, found.outputs):
            for tensor in tensors:
                from_json(TensorType, str(tensor.type), f"{MANIFEST}: {tensor.name!r:.60}", sizes)
            if len({tensor.name for tensor in tensors}) != len(tensors):
                raise ValueError(f"{MANIFEST}: inputs or outputs share a name")
        types = {tensor.name: tensor.type for tensor in found.inputs}
        require_conditions(scope, types, found.conditions)
        return found


def _check_format(data: Any) -> None:
    written = data.get("format") if isinstance(data, dict) else None
    if type(written) is not int or written < 1:
        raise ValueError(f"{MANIFEST}: {written!r:.60} is no format")
    if written > FORMAT:
        versions = data.get("versions")
        maker = versions.get("roastery") if isinstance(versions, dict) else None
        raise FormatTooNew(
            f"was written by Roastery {maker or 'of a newer version'} in format {written}; "
            f"this one reads formats up to {FORMAT}"
        )

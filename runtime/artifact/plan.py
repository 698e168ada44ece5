"""The stored launch plan: kernels, places in memory, and steps in order.

Plain data that needs neither the compiler nor the graph: what a GPU does for one call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.architecture import Architecture
from compiler.binary import KINDS, Binary
from ir.errors import RoasteryError

from .fields import LARGEST, Fields, checked_integer

ARENA, WEIGHT = "arena", "weight"
_ALIGNMENT = 16  # bytes; kernels were compiled for it
_LARGEST_FLOAT = 3.4028235677973366e38  # below: what rounds to a finite float32


@dataclass(frozen=True, slots=True)
class StoredAllocation:
    """Where a tensor starts: bytes into the arena, or into a weight's memory."""

    space: str  # ARENA or WEIGHT
    offset: int = 0
    weight: str = ""

    def json(self) -> list[Any]:
        return [self.space, self.offset, *([self.weight] if self.space == WEIGHT else [])]

    @staticmethod
    def from_json(value: Any, where: str) -> StoredAllocation:
        if isinstance(value, list) and len(value) >= 2:
            offset = checked_integer(value[1], f"{where}: offset")
            if offset % _ALIGNMENT == 0:
                if value[0] == ARENA and len(value) == 2:
                    return StoredAllocation(ARENA, offset)
                if value[0] == WEIGHT and len(value) == 3 and isinstance(value[2], str):
                    return StoredAllocation(WEIGHT, offset, value[2])
        raise ValueError(f"{where}: {value!r:.80} is no place")


@dataclass(frozen=True, slots=True)
class StoredKernel:
    """One kernel in one configuration, with its code per architecture.

    ``kinds``: of its visible parameters. ``source``: the file in the archive, to be read by
    people. ``constants``: the configuration, likewise.
    """

    source: str
    kinds: tuple[str, ...]
    constants: tuple[tuple[str, int], ...]
    binaries: tuple[Binary, ...]


StoredArgument = StoredAllocation | int | float


@dataclass(frozen=True, slots=True)
class StoredLaunch:
    """One call of a kernel. ``location``: the layer it came from, for errors."""

    kernel: int
    arguments: tuple[StoredArgument, ...]
    grid: tuple[int, int, int]
    label: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """Bytes copied on the device; a target outside of every reader's way."""

    source: StoredAllocation
    target: StoredAllocation
    nbytes: int


StoredStep = StoredLaunch | StoredCopy


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """What a GPU does: ``inputs`` are uploaded to, then the steps, then ``outputs`` read."""

    arena_bytes: int
    kernels: tuple[StoredKernel, ...]
    steps: tuple[StoredStep, ...]
    inputs: tuple[tuple[str, StoredAllocation], ...]
    outputs: tuple[tuple[str, StoredAllocation], ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets for which every kernel has machine code, oldest first."""
        common: set[int] | None = None
        for kernel in self.kernels:
            here = {b.architecture.capability for b in kernel.binaries}
            common = here if common is None else common & here
        return tuple(f"cuda:sm_{capability}" for capability in sorted(common or ()))

    def json(self, code: CodeNames) -> dict[str, Any]:
        """As JSON data; ``code`` names the members that hold each binary's bytes."""
        return {
            "arena_bytes": self.arena_bytes,
            "inputs": {name: place.json() for name, place in self.inputs},
            "outputs": {name: place.json() for name, place in self.outputs},
            "kernels": [
                {
                    "source": kernel.source,
                    "kinds": list(kernel.kinds),
                    "constants": [list(pair) for pair in kernel.constants],
                    "binaries": [
                        {**binary.header(), **code(number, binary)} for binary in kernel.binaries
                    ],
                }
                for number, kernel in enumerate(self.kernels)
            ],
            "steps": [_step_json(step) for step in self.steps],
        }


class CodeNames:
    """Names of the archive's members that hold machine code: ``code/sm_90/0003.cubin``.

    The PTX of one architecture alone is kept, for newer GPUs: of sm_80, else of the oldest.
    """

    def __init__(self, architectures: Iterable[Architecture]) -> None:
        portable = [a.capability for a in architectures if a.portable]
        self._portable = 80 if 80 in portable else min(portable, default=0)

    def __call__(self, number: int, binary: Binary) -> dict[str, str]:
        capability = binary.architecture.capability
        names = {"cubin": f"code/sm_{capability}/{number:04d}.cubin"}
        if capability == self._portable:
            names["ptx"] = f"code/sm_{capability}/{number:04d}.ptx"
        return names


def _step_json(step: StoredStep) -> dict[str, Any]:
    if isinstance(step, StoredCopy):
        return {
            "copy": step.source.json(),
            "to": step.target.json(),
            "nbytes": step.nbytes,
        }
    return {
        "kernel": step.kernel,
        "label": step.label,
        "location": step.location,
        "grid": list(step.grid),
        "arguments": [a.json() if isinstance(a, StoredAllocation) else a for a in step.arguments],
    }


def plan_from_json(root: Fields, code: Any) -> LaunchPlan:
    """Inverse of :meth:`LaunchPlan.json`; ``code(name)`` gives a member's bytes.

    Raises ValueError for anything that does not fit together. What it lets pass can still
    be machine code that does harm on the GPU: checks find damage, not malice.
    """
    kernels = tuple(
        _kernel(Fields(value, f"kernel {number}"), code)
        for number, value in enumerate(root.array("kernels"))
    )
    steps = tuple(
        _step(Fields(value, f"step {number}"), kernels)
        for number, value in enumerate(root.array("steps"))
    )
    ports = [
        tuple(
            (name, StoredAllocation.from_json(value, f"{kind} {name}"))
            for name, value in root.raw(kind).items()
        )
        for kind in ("inputs", "outputs")
    ]
    return LaunchPlan(root.integer("arena_bytes"), kernels, steps, *ports)


def _kernel(fields: Fields, code: Any) -> StoredKernel:
    kinds = fields.array("kinds")
    if not all(kind in KINDS[:4] for kind in kinds):
        raise ValueError(f"{fields.where}: unknown kinds of parameters {kinds!r:.80}")
    constants = []
    for pair in fields.array("constants"):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValueError(f"{fields.where}: {pair!r:.80} is no constant")
        constants.append((pair[0], checked_integer(pair[1], fields.where, -LARGEST)))
    binaries = []
    for value in fields.array("binaries"):
        stored = Fields(value, f"{fields.where}: binary")
        ptx = code(stored.text("ptx")) if "ptx" in stored else b""
        try:
            binary = Binary.from_header(value, code(stored.text("cubin")), ptx.decode())
        except RoasteryError as error:  # an unknown target
            raise ValueError(f"{fields.where}: {error.message}") from error
        if list(binary.arguments[: len(kinds)]) != kinds or any(
            kind in KINDS[:4] for kind in binary.arguments[len(kinds) :]
        ):
            raise ValueError(
                f"{fields.where}: the code takes {binary.arguments}, the plan gives {kinds}"
            )
        binaries.append(binary)
    source = fields.text("source")
    return StoredKernel(source, tuple(kinds), tuple(constants), tuple(binaries))


def _step(fields: Fields, kernels: Sequence[StoredKernel]) -> StoredStep:
    if "copy" in fields:
        return StoredCopy(
            StoredAllocation.from_json(fields.array("copy"), fields.where),
            StoredAllocation.from_json(fields.array("to"), fields.where),
            fields.integer("nbytes"),
        )
    number = fields.integer("kernel", high=len(kernels) - 1)
    grid = fields.array("grid")
    if len(grid) != 3:
        raise ValueError(f"{fields.where}: a grid has 3 sizes, not {len(grid)}")
    x, y, z = (checked_integer(n, f"{fields.where}: grid", 0, 2**31 - 1) for n in grid)
    arguments = fields.array("arguments")
    kinds = kernels[number].kinds
    if len(arguments) != len(kinds):
        raise ValueError(f"{fields.where}: {len(arguments)} arguments, {len(kinds)} are taken")
    read = tuple(
        _argument(value, kind, fields.where) for value, kind in zip(arguments, kinds, strict=True)
    )
    label = re.sub(r"[^\x20-\x7e]", "?", fields.text("label"))[:200]
    return StoredLaunch(number, read, (x, y, z), label, fields.text("location"))


def _argument(value: Any, kind: str, where: str) -> StoredArgument:
    if kind == "pointer":
        return StoredAllocation.from_json(value, where)
    if kind == "f32":
        if type(value) in (int, float) and not _LARGEST_FLOAT < abs(value) < math.inf:
            return float(value)
        raise ValueError(f"{where}: {value!r:.80} is no f32")
    bits = int(kind[1:]) - 1
    return checked_integer(value, f"{where}: {kind}", -(2**bits), 2**bits - 1)

"""What is compiled: one kernel in one configuration for one architecture, and who uses it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from compiler.architecture import Architecture
from compiler.kernel import Config, Kernel
from ir.errors import RoasteryError
from ir.printable import printable

from .portable_ptx import LOWEST

TESTED = "3.6 to 3.9"
_OLDEST_TESTED, _NEWEST_TESTED = (3, 6), (3, 9)

# Raised when the same inputs should give other bytes: cached entries are then not found.
_REVISION = 2


@dataclass(frozen=True, slots=True)
class Job:
    """``users``: readable names with their places, for errors and progress. ``early``: it begins
    while the launch before it ends (:mod:`.early_start`)."""

    kernel: Kernel
    config: Config
    architecture: Architecture
    users: tuple[str, ...] = field(default=(), compare=False)
    early: bool = False

    def key(self, triton: str) -> str:
        """The name of the result in the cache: of all that decides it."""
        deciding = (_REVISION, triton, LOWEST, self.kernel, self.config, str(self.architecture))
        text = repr(deciding) + (" early" if self.early else "")
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def name(self) -> str:
        """The kernel as a person knows it: by its first user."""
        return self.users[0] if self.users else self.kernel.entry


class CompileError(RoasteryError):
    """Kernels that Triton could not compile; ``failures`` holds each job and its message.

    ``triton`` is the version that could not.
    """

    SHOWN = 3

    def __init__(self, failures: Sequence[tuple[Job, str]], triton: str = "") -> None:
        self.failures = tuple(failures)
        parts = []
        for job, reason in failures[: self.SHOWN]:
            constants = ", ".join(f"{name}={value}" for name, value in job.config.constants)
            users = printable(", ".join(job.users)) or "unknown"
            shown = "\n    ".join(reason.strip().splitlines())
            parts.append(
                f"kernel {job.kernel.entry} does not compile for {job.architecture} "
                f"({constants}, {job.config.num_warps} warps, {job.config.num_stages} stages; "
                f"used by {users}):\n    {shown}"
            )
        if len(failures) > self.SHOWN:
            parts.append(f"and {len(failures) - self.SHOWN} more kernels")
        first, _, rest = "\n".join(parts).partition("\n")
        hint = "this is a defect of Roastery or of the installed Triton"
        if triton and not is_tested(triton):
            hint = f"Triton {triton} is installed; Roastery is tested with {TESTED}"
        super().__init__(first, hint=hint, detail=rest)


def is_tested(triton: str) -> bool:
    """Whether a version of Triton is in the range that the tests compile with."""
    found = re.match(r"(\d+)\.(\d+)", triton)
    return found is not None and _OLDEST_TESTED <= (int(found[1]), int(found[2])) <= _NEWEST_TESTED


LaunchGrid = tuple[int, int, int]


class Launched(Protocol):
    """A launch, as far as its kernel is to be compiled. ``label``, ``location``: for people."""

    @property
    def kernel(self) -> Kernel: ...
    @property
    def config(self) -> Config: ...
    @property
    def grid(self) -> LaunchGrid: ...
    @property
    def label(self) -> str: ...
    @property
    def location(self) -> object: ...


def jobs_of(
    launches: Iterable[Launched], architecture: Architecture, *, early: bool = False
) -> list[Job]:
    """The jobs that a program's launches need, each once, in order of first use."""
    users: dict[tuple[Kernel, Config], dict[str, None]] = {}
    for launch in launches:
        name = f"{launch.label} ({launch.location})"
        users.setdefault((launch.kernel, launch.config), {})[name] = None
    return [
        Job(kernel, config, architecture, tuple(names), early)
        for (kernel, config), names in users.items()
    ]

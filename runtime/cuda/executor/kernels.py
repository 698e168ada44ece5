"""The kernels of everything that runs on one GPU: compiled once, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Config, Kernel
from compiler.plan.plan import Plan
from compiler.triton.compile import Job, Launched, LaunchGrid, compile_jobs, jobs_of, triton_version
from compiler.triton.compile.store import BinaryStore
from ir.errors import RoasteryError

Progress = Callable[[int, int, Job | None], None]
Compile = Callable[[Sequence[Job], Progress | None], Sequence[Binary]]


class _Run(NamedTuple):
    kernel: Kernel
    config: Config
    grid: LaunchGrid
    label: str
    location: str


class KernelTable:
    """Binaries by kernel and configuration, for one architecture.

    Args:
        compile: what makes binaries of jobs; by default :func:`compile_or_load`.
        early: whether kernels begin while those before them end.
    """

    def __init__(
        self,
        architecture: Architecture,
        progress: Progress | None = None,
        compile: Compile | None = None,
        *,
        early: bool = False,
    ) -> None:
        self.architecture = architecture
        self.binaries: dict[tuple[Kernel, Config], Binary] = {}
        self._early = early
        self._progress = progress
        self._compile = compile or compile_or_load

    def add_plans(self, plans: Iterable[Plan]) -> None:
        """Have the kernels of what these plans launch; see :meth:`add`."""
        self.add(
            _Run(plan.kernels[each.kernel], each.config, each.grid, each.label, each.location)
            for plan in plans
            for each in plan.launches
        )

    def add(self, launches: Iterable[Launched]) -> None:
        """Have the kernels of these launches; those that are missing are compiled together.

        Raises CompileError, and RoasteryError where Triton is needed and missing.
        """
        run = [launch for launch in launches if 0 not in launch.grid]
        jobs = [
            job
            for job in jobs_of(run, self.architecture, early=self._early)
            if (job.kernel, job.config) not in self.binaries
        ]
        if jobs:
            for job, binary in zip(jobs, self._compile(jobs, self._progress), strict=True):
                self.binaries[job.kernel, job.config] = binary


def compile_or_load(
    jobs: Sequence[Job], progress: Progress | None = None, store: BinaryStore | None = None
) -> list[Binary]:
    """Binaries from the cache or the compiler; from the cache alone where Triton is missing."""
    store = store or BinaryStore()
    try:
        version = triton_version()
    except RoasteryError:
        version = store.version
        found = [store.load(job.key(version)) for job in jobs] if version else []
        if not found or None in found:
            raise
        return [binary for binary in found if binary is not None]
    binaries = compile_jobs(jobs, store=store, progress=progress)
    store.version = version
    return binaries

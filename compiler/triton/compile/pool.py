"""Compiles many kernels at once, each worker process one after the other.

One thread per worker waits for it; the caller's thread collects results, so that Ctrl-C
reaches it and ends the workers.
"""

from __future__ import annotations

import importlib.metadata
import os
import queue
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent import futures
from pathlib import Path

from compiler.binary import Binary
from ir.errors import RoasteryError
from roastery.files.owned_folder import owned_folder

from .job import CompileError, Job
from .process import WorkerProcess
from .store import BinaryStore

Progress = Callable[[int, int, Job | None], None]
"""How many kernels are compiled, of how many, and the one that just was. None before the first, and
at the end, when all are, also where some failed."""

_MOST_WORKERS = 16  # a worker takes about 300 MB


def triton_version(path: Path | None = None) -> str:
    """The installed Triton's version (or that of a folder of packages), not importing it.

    Raises :class:`RoasteryError` when there is none.
    """
    where = sys.path if path is None else [str(path)]
    for found in importlib.metadata.distributions(name="triton", path=where):
        return found.version
    raise RoasteryError(
        "compiling GPU kernels needs Triton, which is not installed"
        + (f" in {path}" if path else ""),
        hint="pip install roastery[gpu]",
    )


def compile_jobs(
    jobs: Sequence[Job],
    *,
    store: BinaryStore | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    triton_path: Path | None = None,
    timeout: float = 600.0,
) -> list[Binary]:
    """The binary of every job, in order; equal jobs are compiled once.

    Args:
        store: where binaries are kept; by default in the cache folder.
        workers: processes at a time; by default as many as there are processors to use.
        progress: called in this thread where kernels have to be compiled: before the first, after
            each, and at the end.
        triton_path: a folder of packages whose Triton is used instead of the installed one.
        timeout: seconds after which a single kernel is given up.

    Raises:
        CompileError: some kernels do not compile; the others are in the store.
        RoasteryError: Triton is missing or cannot be started.
    """
    store = store or BinaryStore()
    version = triton_version(triton_path)
    keys = [job.key(version) for job in jobs]
    kept = {key: store.load(key) for key in set(keys)}
    found = {key: binary for key, binary in kept.items() if binary is not None}
    missing = {key: job for key, job in zip(keys, jobs, strict=True) if key not in found}
    if missing:
        count = max(1, min(workers or len(os.sched_getaffinity(0)), _MOST_WORKERS, len(missing)))
        with owned_folder(Path(tempfile.gettempdir()), "roastery-compile") as folder:
            folder.mkdir()
            processes = [
                WorkerProcess(folder / str(number), triton_path, version, timeout)
                for number in range(count)
            ]
            found.update(_compiled(missing, processes, store, progress, version))
    return [found[key] for key in keys]


def _compiled(
    jobs: dict[str, Job],
    processes: Sequence[WorkerProcess],
    store: BinaryStore,
    progress: Progress | None,
    version: str,
) -> dict[str, Binary]:
    """Compile everything, or end every worker and raise."""
    idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
    for process in processes:
        idle.put(process)

    def compile(job: Job) -> Binary | str:
        process = idle.get()  # never waits: there are as many threads
        try:
            return process.compile(job)
        finally:
            idle.put(process)

    results: dict[str, Binary | str] = {}
    threads = futures.ThreadPoolExecutor(len(processes))
    try:
        if progress is not None:
            progress(0, len(jobs), None)
        waiting = {threads.submit(compile, job): key for key, job in jobs.items()}
        for done, future in enumerate(futures.as_completed(waiting), 1):
            key = waiting[future]
            results[key] = result = future.result()
            if isinstance(result, Binary):
                store.save(key, result)
            if progress is not None and done < len(jobs):
                progress(done, len(jobs), jobs[key])
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        threads.shutdown()
        if progress is not None:
            progress(len(jobs), len(jobs), None)
    binaries = {key: result for key, result in results.items() if isinstance(result, Binary)}
    if failed := [key for key in jobs if key not in binaries]:
        raise CompileError([(jobs[key], str(results[key])) for key in failed], version)
    return binaries

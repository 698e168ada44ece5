"""Roastery's commands as processes, and what they leave."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds after which a process hangs."""


def environment() -> dict[str, str]:
    """One thread each, our sources, and no cache of the user's."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def command(*words: str) -> list[str]:
    """The words of a command line of ours."""
    return [sys.executable, "-m", "roastery", *words]


def start(
    place: Path, *words: str, limit: int | None = None, log: Any = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a command in a folder; with ``limit`` no file may have more bytes."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it behind &
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        command(*words),
        cwd=place,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=log,
        text=True,
        preexec_fn=prepare,
    )


def run(place: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a hanging one is killed and has the code -9."""
    with start(place, *words, **options) as process:
        try:
            _, error = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            _, error = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, "", error or "")


def duration(work: Callable[[], Any]) -> float:
    """Seconds that something takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def litter(place: Path) -> list[str]:
    """Temporary and lock files in a folder, and in the folders in it."""
    return sorted(
        str(path.relative_to(place))
        for path in place.rglob(".*")
        if path.name.endswith((".partial", ".lock"))
    )


def numbers(process: int) -> tuple[float, int, int]:
    """Resident MiB, open files and threads of a process."""
    fields: dict[str, str] = {}
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        fields[key] = value
    files = len(os.listdir(f"/proc/{process}/fd"))
    return int(fields["VmRSS"].split()[0]) / 1024, files, int(fields["Threads"])

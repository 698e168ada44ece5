"""Keeps worker processes busy, and survives what they do not."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .verdict import FAILURES, Verdict
from .worker import MEMORY, SECONDS

ROOT = Path(__file__).parents[2]
_PATIENCE = 4
"""A worker that waits longer than so many times the limit hangs, though it takes no time."""
_TICK = os.sysconf("SC_CLK_TCK")


class Worker:
    """One worker process, started anew when it dies."""

    def __init__(self, seed: int, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        """
        Args:
            seconds: of the processor, after which an input counts as hanging.
            memory: bytes that an input may take beyond what the process has.
        """
        self._limit = seconds
        self._arguments = [str(seed), str(seconds), str(memory)]
        self._process: subprocess.Popen[str] | None = None
        self._input = Path()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115

    def verdict(self, target: str, number: int) -> Verdict:
        """Let the worker read an input."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([target, number]) + "\n")
        process.stdin.flush()
        began, used = time.monotonic(), self._seconds()
        while not select.select([process.stdout], [], [], 0.5)[0]:
            if process.poll() is not None:
                break
            busy = self._seconds() - used
            if busy > self._limit + 1 or time.monotonic() - began > _PATIENCE * self._limit:
                self._kill()
                return Verdict(target, number, "", "hang", busy, 0, self._last_words(), "hang")
        line = process.stdout.readline()
        if line:
            return Verdict(**json.loads(line))
        code = process.wait()
        self._process = None
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Verdict(target, number, "", "crash", 0.0, 0, self._last_words(), f"crash: {how}")

    def keep_input(self, folder: Path) -> None:
        """Copy the input that the worker has before it."""
        shutil.rmtree(folder, ignore_errors=True)
        if self._input.name and self._input.is_dir():
            shutil.copytree(self._input, folder)

    def close(self) -> None:
        """End the process, and remove what it worked on."""
        self._kill()
        self._forget_input()
        self._said.close()

    def _start(self) -> subprocess.Popen[str]:
        self._forget_input()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            "MPLBACKEND": "Agg",
            "OPENCV_LOG_LEVEL": "OFF",
            "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", *self._arguments],
            cwd=ROOT, env=environment, text=True, bufsize=1, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker does not start: {self._last_words()}")
        self._input = Path(json.loads(line)["ready"])
        return self._process

    def _seconds(self) -> float:
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / _TICK

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _forget_input(self) -> None:
        """Remove the folder of a process that ended, if there was one."""
        if self._input.name:
            shutil.rmtree(self._input.parent, ignore_errors=True)
            self._input = Path()

    def _last_words(self) -> str:
        """Where the process stood, as faulthandler tells it."""
        self._said.seek(0)
        said = self._said.read().splitlines()
        lines = [
            line.strip() for line in said if line.strip().startswith("File ") or "Error:" in line
        ]
        self._said.seek(0)
        self._said.truncate()
        kept = lines if len(lines) <= 6 else [*lines[:4], "...", *lines[-2:]]
        return " <- ".join(line.removeprefix("File ") for line in kept)[:600]


def run(
    turns: Iterable[tuple[str, int]], seed: int, jobs: int, failures: Path,
    tell: Callable[[Verdict], None],
) -> None:  # fmt: skip
    """Read the inputs that ``turns`` names, side by side; failures are kept in folders."""
    lock = threading.Lock()
    waiting: Iterator[tuple[str, int]] = iter(turns)

    def work() -> None:
        worker = Worker(seed)
        try:
            while True:
                with lock:
                    turn = next(waiting, None)
                if turn is None:
                    return
                verdict = worker.verdict(*turn)
                if verdict.outcome in FAILURES:
                    place = failures / verdict.target.replace(" ", "_") / str(verdict.number)
                    worker.keep_input(place)
                with lock:
                    tell(verdict)
        finally:
            worker.close()

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

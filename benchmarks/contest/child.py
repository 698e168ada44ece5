"""The other side: a contender's process, and what it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from .contenders import HERE, Entry

ROOT = HERE.parents[1]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ROASTERY_THREADS")


class Failed(Exception):
    """A contender does not run this net."""


class Child:
    """A contender that has loaded a job. Raises Failed where it cannot.

    Args:
        compared: whether its results are wanted. They are copied, which takes memory.

    Attributes:
        results: what it computes; empty where nobody wants it.
    """

    def __init__(self, entry: Entry, job: Path, threads: int, *, compared: bool = True) -> None:
        file = job / f"{str(entry).replace(' ', '_')}.npz"
        command = entry.command(str(job), str(threads), str(file) if compared else "")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **thread_variables(threads)}
        self.entry = entry
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        try:
            self._read()
            self.results: dict[str, np.ndarray] = dict(np.load(file)) if compared else {}
        except BaseException:
            self.close()
            raise

    def seconds(self, seconds: float, least: int) -> list[float]:
        """Of each of some passes, at least so many, for so long."""
        return self._ask({"do": "run", "seconds": seconds, "least": least})

    def peak_memory(self) -> int:
        """Bytes that the process has had resident, at most."""
        return self._ask({"do": "memory"})

    def _ask(self, request: dict[str, object]) -> Any:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it has ended: then nothing comes
            print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with {self._process.wait()}"}
        if isinstance(answer, dict):
            raise Failed(f"{self.entry.name}: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if stream:
                    stream.close()
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def thread_variables(threads: int) -> dict[str, str]:
    """What tells libraries how many threads they may have."""
    return dict.fromkeys(_THREADS, str(threads))

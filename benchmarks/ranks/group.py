"""Processes that train side by side: of one net each, or as ranks of one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any, Self

from benchmarks.contest.child import ROOT, thread_variables


class Group:
    """So many processes with one thread each, which have a net.

    Args:
        together: they are ranks of one training; else each trains by itself.
        sent: ranks send gradients by gloo, as between machines.
    """

    def __init__(
        self, net: str, batch: int, count: int, *, together: bool, sent: bool = False
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="roastery-ranks-")
        store = f"{self._folder.name}/store"
        environment = {
            **os.environ,
            **thread_variables(1),
            "PYTHONPATH": str(ROOT),
            "ROASTERY_SHARE_GRADIENTS": str(int(not sent)),
        }
        self._processes = []
        try:
            for number in range(count):
                place = (number, count) if together else (0, 1)
                words = [net, str(batch), *map(str, place), store]
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "benchmarks.ranks.worker", *words],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                        env=environment,
                        cwd=ROOT,
                    )
                )
            for process in self._processes:
                self._read(process)
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, *, only: int | None = None, **request: object) -> list[Any]:
        """The answers of all, who begin at once, or of one."""
        asked = self._processes if only is None else [self._processes[only]]
        for process in asked:
            assert process.stdin
            print(json.dumps({"do": do, **request}), file=process.stdin, flush=True)
        return [self._read(process) for process in asked]

    @staticmethod
    def _read(process: subprocess.Popen[str]) -> Any:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process ended with {process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if stream:
                        stream.close()
            process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

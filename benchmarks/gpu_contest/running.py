"""Runs pieces, each a process, until the time is up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from .pieces import Piece
from .state import State

ROOT = Path(__file__).parents[2]
_LAST = 2000  # characters of what a piece said that are kept


def run_pieces(
    pieces: Sequence[Piece],
    state: State,
    seconds: float,
    tell: Callable[[str], None],
    beside: int = 1,
    passing: bool = False,
) -> list[Piece]:
    """Run what is not done yet, in order; returns what is left.

    A piece is not begun where too little time is left for it, and ended where it takes too long:
    then it is tried again by the next call, until it is given up, with a record that says so.

    Args:
        seconds: for all of them together.
        tell: what is being done.
        beside: how many of those that measure no times run at once.
        passing: whether others are run where too little time is left for one.
    """
    work = _Work(state, seconds, tell)
    for group in _groups([piece for piece in pieces if state.is_left(piece)]):
        if len(group) == 1 or beside == 1:
            more = all(map(work.run, group))
        else:
            more = work.run_together(group, beside)
        if work.stopped or not (more or passing):
            break  # in order: what comes first decides most
    return [piece for piece in pieces if state.is_left(piece)]


def _groups(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Neighbours that measure no times; all others alone."""
    group: list[Piece] = []
    for piece in pieces:
        if group and (piece.measures or group[-1].measures):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


class _Work:
    """What one call does, on several threads."""

    def __init__(self, state: State, seconds: float, tell: Callable[[str], None]) -> None:
        self._state = state
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._tell = tell
        self._running: list[subprocess.Popen[str]] = []
        self.stopped = False

    def run_together(self, pieces: Sequence[Piece], beside: int) -> bool:
        """As :meth:`run`, of all."""
        with ThreadPoolExecutor(beside) as pool:
            try:
                futures = [pool.submit(self.run, piece) for piece in pieces]
                wait(futures, return_when=FIRST_EXCEPTION)
                done = [future.result() for future in futures if future.done()]
                return all(done)
            except BaseException:
                self.stopped = True
                for process in tuple(self._running):
                    _end(process)
                raise

    def run(self, piece: Piece) -> bool:
        """Run one; whether there was time for it."""
        state = self._state
        if self.stopped:
            return False
        if state.begun(piece) >= piece.attempts:
            state.finish(piece, {"failed": f"given up after {piece.attempts} attempts"})
            return True
        room = self._until - time.monotonic()
        if room < min(piece.seconds, 0.9 * self._seconds):
            return False
        self._tell(f"{piece.name} ...")
        limit = min(piece.most, room)
        state.begin(piece)
        try:
            record = self._record(piece, limit)
        except BaseException:
            state.withdraw(piece)
            raise
        if self.stopped:
            state.withdraw(piece)
            return False
        if record is not None:
            state.finish(piece, record)
        elif limit < 0.9 * min(piece.most, self._seconds):
            state.withdraw(piece)  # there was little time left for it
        elif state.begun(piece) >= piece.attempts:
            state.finish(piece, {"failed": f"took longer than {limit:.0f} s, repeatedly"})
        said = "cut off" if record is None else record.get("failed", "done")
        self._tell(f"{piece.name}: {said}"[:300])
        return True

    def _record(self, piece: Piece, limit: float) -> dict[str, Any] | None:
        """What a piece found, or why it failed; None: it took too long."""
        caches = {  # what torch.compile has tried is there for the next attempt
            "TORCHINDUCTOR_CACHE_DIR": str(self._state.folder.absolute() / "inductor"),
            "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
            "TORCHINDUCTOR_AUTOTUNE_REMOTE_CACHE": "0",
        }
        tied = [sys.executable, "-m", "benchmarks.gpu_contest.tied", str(os.getpid())]
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "found.json"
            words = [str(file) if word == "{file}" else word for word in piece.command]
            with subprocess.Popen(
                [*tied, *words],
                cwd=ROOT,
                env={**os.environ, **caches},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # its workers end with it
            ) as process:
                self._running.append(process)
                if self.stopped:  # before it was known
                    _end(process)
                try:
                    said, _ = process.communicate(timeout=limit)
                except subprocess.TimeoutExpired:
                    _end(process)
                    return None
                except BaseException:
                    _end(process)
                    raise
                finally:
                    self._running.remove(process)
            record: dict[str, Any] = {"seconds": round(time.monotonic() - started, 1)}
            record["output"] = said[-_LAST:]
            if process.returncode:
                last = said.strip().splitlines()[-1:] or ["it said nothing"]
                return {**record, "failed": f"ended with {process.returncode}: {last[0]}"}
            if file.is_file():
                record |= json.loads(file.read_text(encoding="utf-8"))
            return record


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

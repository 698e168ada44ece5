"""Places in LMDB's table of readers, held by a process of their own (see `lock_holder`)."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import lmdb

from . import lock_holder

_SECONDS = 20.0
"""How long an answer is waited for; it comes at once unless something is wrong."""


class LockError(Exception):
    """No place in the table of readers can be had; the message says why."""


class EnvironmentLocks:
    """The table of readers of one database. Raises LockError where there can be none.

    It is in the file lock.mdb beside the database, which is made if it is missing.

    Args:
        path: the folder, or the file of a database without one.
        map_bytes: how large the database may become.
    """

    def __init__(self, path: Path, map_bytes: int) -> None:
        self._process = _running()
        folder = path.is_dir()
        answer = self._process.ask("open", os.path.abspath(path), folder, map_bytes)
        self._number = answer["number"]
        self.close = weakref.finalize(self, self._process.tell, "close", self._number)
        self.close.atexit = False

    def begin(self) -> HeldTransaction:
        """Hold the state that was committed last."""
        answer = self._process.ask("begin", self._number)
        return HeldTransaction(self, self._process, answer["number"], answer["transaction"])


class HeldTransaction:
    """A state that stays as it is until `end`, or until nobody knows of this object.

    ``transaction`` is LMDB's number of the state.
    """

    def __init__(
        self, locks: EnvironmentLocks, process: _Process, number: int, transaction: int
    ) -> None:
        self._locks = locks  # the environment is closed after its transactions
        self.transaction = transaction
        self.end = weakref.finalize(self, process.tell, "end", number)
        self.end.atexit = False


class _Process:
    """The process that holds the places, and the talk with it."""

    def __init__(self) -> None:
        packages = os.path.dirname(os.path.dirname(os.path.abspath(lmdb.__file__)))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", lock_holder.__file__, packages],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the one who reads
            )
        except OSError as error:
            raise LockError(f"no process can be started to hold it: {error.strerror}") from error
        self._owner = os.getpid()
        atexit.register(self._finish)
        self._turn = threading.RLock()  # an object may end while another asks, on one thread
        self._told: list[tuple[Any, ...]] = []
        self._asking = False

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, *words: Any) -> dict[str, Any]:
        """The answer to a request. Raises LockError."""
        with self._turn:
            self._asking = True
            try:
                answer = self._exchange(words)
            finally:
                self._asking = False
            self._send_told()
        if "error" in answer:
            raise LockError(str(answer["error"]))
        return answer

    def tell(self, *words: Any) -> None:
        """A request whose answer means nothing; may come from anywhere, at any time."""
        if os.getpid() != self._owner:
            return  # what a forked child forgets, its parent may need
        with self._turn:
            self._told.append(words)
            if not self._asking:
                self._send_told()

    def _finish(self) -> None:
        if os.getpid() == self._owner and self._process.stdin is not None:
            self._process.stdin.close()
            if self._process.stdout is not None:
                self._process.stdout.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    def _send_told(self) -> None:
        while self._told:
            words = self._told.pop(0)
            with contextlib.suppress(LockError):
                self._exchange(words)

    def _exchange(self, words: tuple[Any, ...]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            line = b""
            while not line.endswith(b"\n"):
                ready, _, _ = select.select([self._process.stdout], [], [], _SECONDS)
                piece = os.read(self._process.stdout.fileno(), 1 << 16) if ready else b""
                if not piece:
                    raise OSError("no answer")
                line += piece
            return json.loads(line)
        except (OSError, ValueError) as error:
            self._process.kill()
            self._process.wait()
            raise LockError("the process that would hold it has ended") from error


_process: _Process | None = None
_start = threading.Lock()


def _running() -> _Process:
    global _process
    with _start:
        if _process is None or not _process.alive:
            _process = _Process()
        return _process


def _forget() -> None:
    """A forked child has no part in the talk."""
    global _process, _start
    _process, _start = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)

"""What is told while kernels compile: nothing where that is quick."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

from ir.printable import printable

PATIENCE = 2.0
"""Seconds of compiling, in a process, after which somebody may ask what is going on."""


class CompilingNote:
    """Tells, on standard error, that kernels are being compiled, and why not every time.

    A terminal shows how far that is, in a line that vanishes in the end; a file gets one line.
    Its calls are those of whoever compiles: with 0 before the first kernel, and with all kernels
    when that has ended, however it did.
    """

    def __init__(self, line: str = "") -> None:
        """``line``: what to say instead."""
        self._said = line
        self._lock = threading.Lock()
        self._spent = 0.0
        self._began: float | None = None
        self._timer: threading.Timer | None = None
        self._told = False
        self._line = ""
        self._drawn = False

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """So many kernels are compiled, of how many; ``what`` was the last."""
        with self._lock:
            kernels = f"{total} kernel{'' if total == 1 else 's'}"
            self._line = f"compiling {kernels}, which are kept for the next time"
            if total == 1:
                self._line = self._line.replace("which are", "which is")
            self._line = self._said or self._line
            if done >= total:
                self._end()
                return
            if self._began is None:
                self._begin()
            if self._drawn or self._due():
                self._tell(f": {done} done{what}" if done else "")

    def _begin(self) -> None:
        self._began = time.monotonic()
        # The first kernel may take longer than anybody waits without a word.
        self._timer = threading.Timer(max(0.0, PATIENCE - self._spent), self._late)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._began is not None:
            self._spent += time.monotonic() - self._began
            self._began = None
        if self._drawn:
            self._drawn = False
            _write("\r\x1b[K")

    def _due(self) -> bool:
        return self._began is not None and (
            self._spent + time.monotonic() - self._began >= PATIENCE
        )

    def _late(self) -> None:
        with self._lock:
            if self._began is not None and not self._drawn:
                self._tell()

    def _tell(self, more: str = "") -> None:
        if _on_terminal():
            self._drawn = True
            _write(f"\r\x1b[K{self._line}{printable(more)}"[:99])
        elif not self._told:
            _write(f"note: {self._line}\n")
        self._told = True


def _on_terminal() -> bool:
    with contextlib.suppress(ValueError):  # closed
        return sys.stderr is not None and sys.stderr.isatty()
    return False


def _write(text: str) -> None:
    """To standard error, if anybody takes it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


COMPILING = CompilingNote()
"""The one of this process: whatever is compiled in it is waited for by the same person."""

"""Standard output and standard error whose other end may go away."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import TextIO

from ir.printable import printable_lines

_NAMES = ("stdin", "stdout", "stderr")
_PATIENCE = 1000
"""Milliseconds to wait for a reader of a descriptor that does not block."""


def open_missing_streams() -> None:
    """Give a process that was started without standard streams ones that lead nowhere.

    Else the next file that it opens, a database or a snapshot, gets number 2, and whoever writes
    an error message writes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


@contextlib.contextmanager
def surviving_streams() -> Iterator[None]:
    """In the block nothing that is printed raises, also when nobody takes it.

    A Python layer that prints must not end a training because the terminal is gone.
    """
    before = {name: getattr(sys, name) for name in _NAMES[1:]}
    for name, stream in before.items():
        # What a test or a notebook has put there is left alone.
        if type(stream) is io.TextIOWrapper and stream.fileno() in (1, 2):
            setattr(sys, name, _surviving(stream))
    try:
        yield
    finally:
        for name, stream in before.items():
            if getattr(sys, name) is not stream:
                getattr(sys, name).flush()
                setattr(sys, name, stream)


def _surviving(stream: io.TextIOWrapper) -> TextIO:
    with contextlib.suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Surviving(stream.fileno())),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Surviving(io.RawIOBase):
    """A descriptor to write to; what it does not take is lost."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = memoryview(data)  # type: ignore[arg-type]
        try:
            return os.write(self._number, content)
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(self._number, select.POLLOUT)
            waiting.poll(_PATIENCE)
            with contextlib.suppress(OSError):
                return os.write(self._number, content)
        except OSError:
            pass
        return len(content)


def last_word(text: str) -> None:
    """A last word on standard error, if anybody takes it."""
    with contextlib.suppress(OSError, ValueError):
        print(printable_lines(text), file=sys.stderr, flush=True)


def settle_streams() -> OSError | None:
    """Write what is buffered; returns the error of standard output, if it takes no more.

    What cannot be written is given up, so that the interpreter does not fail with it at its end.
    """
    failed = None
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError as error:
            failed = error if stream is sys.stdout else None
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
    return failed

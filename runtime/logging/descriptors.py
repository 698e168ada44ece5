"""Writing text to what may refuse it: a pipe that nobody reads any more, a full disk."""

from __future__ import annotations

import errno
import io
import os
import select
from typing import TextIO

from roastery.files.special_output import is_pipe, open_pipe

_PATIENCE = 1000
"""Milliseconds to wait for a reader of a descriptor that does not block."""


def write_bytes(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` now. Raises OSError; part of it may have been written then."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT)
            if not waiting.poll(_PATIENCE):
                raise


def write_text(stream: TextIO | None, text: str) -> None:
    """Write ``text`` to a stream now, past its buffer.

    A buffer keeps what could not be written and fails again with it, at the latest when the
    interpreter ends. Raises OSError, for a stream that is closed too.
    """
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if type(stream) is not io.TextIOWrapper:  # what a test or a notebook has put there
        stream.write(text)
        stream.flush()
        return
    stream.flush()
    write_bytes(stream.fileno(), text.encode(stream.encoding, stream.errors or "strict"))


class AppendedLines:
    """Lines at the end of a file; each is written at once, whole lines begin a line.

    Args:
        append: keep what the file holds; else it is emptied.

    Raises OSError if the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool) -> None:
        if is_pipe(path):
            self._file, self._torn = open_pipe(path), False
            return
        flags = os.O_RDWR if append else os.O_WRONLY | os.O_TRUNC
        try:
            self._file = os.open(path, flags | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if not append or error.errno not in (errno.EACCES, errno.EINVAL):
                raise
            # What can be written but not read: its last line is taken to be whole.
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._torn = append and self._ends_within_a_line()

    def write(self, text: str) -> None:
        """Add lines. Raises OSError."""
        data = (("\n" if self._torn else "") + text).encode("utf-8", "surrogateescape")
        self._torn = True
        write_bytes(self._file, data)
        self._torn = False

    def close(self) -> None:
        """Close the file. Raises OSError where the system says only now that it is full."""
        os.close(self._file)

    def _ends_within_a_line(self) -> bool:
        try:
            size = os.fstat(self._file).st_size
            return size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError:
            return False

"""A file opened to read pieces of it, by any number of threads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .damage import LevelError, cut_off


class OpenFile:
    """A regular file and the size it had when it was opened.

    It is read with `pread` and not mapped: a file cut off under a map kills the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        # A pipe would be waited for, so it is looked at before it is opened.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise LevelError(f"{path.name} is no regular file")
        self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self.size = os.fstat(self._fd).st_size

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; LevelError where the file ends before that."""
        if self._fd < 0:
            raise LevelError("the database was closed")
        if offset + size > self.size:
            raise cut_off(self.path, self.size, f"what it holds reaches to byte {offset + size}")
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                raise cut_off(self.path, offset + len(data), "it was shortened while it was read")
            data += more
        return data

    def close(self) -> None:
        """Close the file; it can no longer be read."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

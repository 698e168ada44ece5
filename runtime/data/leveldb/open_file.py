"""A file of a LevelDB, opened to read pieces of it."""

from __future__ import annotations

from pathlib import Path

from ..pieces import FilePieces
from .damage import LevelError, cut_off


class OpenFile:
    """A regular file and the size it had when it was opened; any number of threads read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pieces = FilePieces(path, LevelError)
        self.size = self._pieces.size()

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; LevelError where the file ends before that."""
        if offset + size > self.size:
            raise cut_off(self.path, self.size, f"what it holds reaches to byte {offset + size}")
        data = self._pieces.read(offset, size)
        if len(data) < size:
            raise cut_off(self.path, offset + len(data), "it was shortened while it was read")
        return data

    def close(self) -> None:
        """Close the file; it can no longer be read."""
        self._pieces.close()

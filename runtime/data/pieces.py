"""A file of a database, opened to read pieces of it by any number of threads."""

from __future__ import annotations

import os
from pathlib import Path

from ir.errors import RoasteryError
from roastery.files.regular_file import open_regular

from .database_error import DatabaseError


class FilePieces:
    """A regular file, read at any place until it is closed.

    It is read with `pread` and not mapped: a file cut off under a map kills the process.

    Args:
        error: of the database's kind; raised for what is no regular file, or was closed.

    Raises OSError as ``open`` does.
    """

    def __init__(self, path: Path, error: type[DatabaseError]) -> None:
        self._error = error
        try:
            self._file = open_regular(path)
        except (RoasteryError, IsADirectoryError):
            raise error(f"{path.name} is no regular file") from None
        self._descriptor = self._file.fileno()

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``, or fewer where the file ends before that."""
        if self._descriptor < 0:
            raise self._closed()
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def size(self) -> int:
        """How many bytes the file has now."""
        if self._descriptor < 0:
            raise self._closed()
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Close the file; it can no longer be read. May be called more than once."""
        self._descriptor = -1
        self._file.close()

    def _closed(self) -> DatabaseError:
        return self._error("the database was closed")

"""A data.mdb opened for reading."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .damage import LmdbError
from .meta import META_BYTES, TRANSACTION_OFFSET, Meta, parse_meta


class LmdbFile:
    """Pieces of a data.mdb, read by any number of threads. Raises LmdbError, and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        # A pipe would be waited for, so it is looked at before it is opened.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise LmdbError(f"{path.name} is no regular file")
        self._fd = os.open(
            path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        try:
            self.page_size = parse_meta(self._meta_bytes(0), 0).page_size
            self.metas()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; records can no longer be read."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

    def read_bytes(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; LmdbError when the file ends before that."""
        if self._fd < 0:
            raise LmdbError("the database was closed")
        # Nothing is allocated for what is not there, and no file is so long that pread cannot say.
        if size > 1 << 16 or offset >= 1 << 62:
            self.check_reaches(offset + size)
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                raise self._cut_off(offset + size)
            data += more
        return data

    def check_reaches(self, end: int) -> None:
        """LmdbError when the file ends before byte ``end``."""
        if self._fd < 0:
            raise LmdbError("the database was closed")
        if end > os.fstat(self._fd).st_size:
            raise self._cut_off(end)

    def metas(self) -> list[Meta]:
        """Both meta pages as they are now: of one of them a writer may be writing."""
        metas = [parse_meta(self._meta_bytes(number), number) for number in (0, 1)]
        if {meta.page_size for meta in metas} != {self.page_size}:
            raise LmdbError("its two meta pages differ in how many bytes a page has")
        return metas

    def last_transaction(self) -> int:
        """The number of the transaction that was committed last, at the cost of 16 bytes."""
        return max(
            int.from_bytes(
                self.read_bytes(number * self.page_size + TRANSACTION_OFFSET, 8), "little"
            )
            for number in (0, 1)
        )

    def _meta_bytes(self, number: int) -> bytes:
        size = os.fstat(self._fd).st_size
        if size < META_BYTES:
            raise LmdbError(f"a file of {size} bytes is too short for an LMDB")
        return self.read_bytes(number * self.page_size if number else 0, META_BYTES)

    def _cut_off(self, needed: int) -> LmdbError:
        size = os.fstat(self._fd).st_size
        return LmdbError(
            f"the file is cut off: it has {size} bytes and its records reach to byte {needed}"
        )

"""A data.mdb opened for reading."""

from __future__ import annotations

from pathlib import Path

from ..pieces import FilePieces
from .damage import LmdbError
from .meta import META_BYTES, TRANSACTION_OFFSET, Meta, parse_meta


class LmdbFile:
    """Pieces of a data.mdb, read by any number of threads. Raises LmdbError, and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pieces = FilePieces(path, LmdbError)
        try:
            self.page_size = parse_meta(self._meta_bytes(0), 0).page_size
            self.metas()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; records can no longer be read."""
        self._pieces.close()

    def read_bytes(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; LmdbError when the file ends before that."""
        # Nothing is allocated for what is not there, and no file is so long that pread cannot say.
        if size > 1 << 16 or offset >= 1 << 62:
            self.check_reaches(offset + size)
        data = self._pieces.read(offset, size)
        if len(data) < size:
            raise self._cut_off(offset + size)
        return data

    def check_reaches(self, end: int) -> None:
        """LmdbError when the file ends before byte ``end``."""
        if end > self._pieces.size():
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
        size = self._pieces.size()
        if size < META_BYTES:
            raise LmdbError(f"a file of {size} bytes is too short for an LMDB")
        return self.read_bytes(number * self.page_size if number else 0, META_BYTES)

    def _cut_off(self, needed: int) -> LmdbError:
        size = self._pieces.size()
        return LmdbError(
            f"the file is cut off: it has {size} bytes and its records reach to byte {needed}"
        )

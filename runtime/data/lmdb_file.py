"""Reading LMDB without mapping it: a truncated or damaged file is an error, not a crash.

liblmdb trusts what it maps, and dies with SIGBUS or SIGSEGV on a file that was cut off
or overwritten. This reader takes the pages it needs with `pread`, checks every offset,
writes nothing, takes no lock, and lets several threads read values at once.

The format (LMDB 0.9, data version 1): fixed-size pages; pages 0 and 1 are the two meta
pages, of which the one with the higher transaction number counts; the records form a
B+tree of branch and leaf pages; values too large for a leaf lie in runs of overflow pages.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .database_error import DatabaseError

_HEADER = struct.Struct("<QHHHH")  # page number, pad, flags, lower, upper
_NODE = struct.Struct("<HHHH")  # low, high, flags, key size
_META = struct.Struct("<IIQQ")  # magic, version, address, map size
_TREE = struct.Struct("<IHHQQQQQ")  # pad, flags, depth, branch, leaf, overflow, entries, root
_META_BYTES = _META.size + 2 * _TREE.size + 16
_MAGIC = 0xBEEFC0DE
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 1, 2, 4, 8
_BIG_VALUE, _SUB_TREE, _DUPLICATES = 1, 2, 4
_NO_PAGE = 0xFFFFFFFFFFFFFFFF


class LmdbError(DatabaseError):
    """The file is not an LMDB, or it is damaged or cut off."""


@dataclass(frozen=True, slots=True)
class LmdbRecord:
    """A key, and where its value lies; `read` fetches it, on any thread."""

    key: bytes
    file: LmdbFile
    offset: int
    size: int

    def read(self) -> bytes:
        """The value's bytes."""
        return self.file.read_bytes(self.offset, self.size)


class LmdbFile:
    """A data.mdb opened for reading. Raises LmdbError when it is not whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(
            path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        try:
            self._size = os.fstat(self._fd).st_size
            self._read_metas()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; records can no longer be read."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read_bytes(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``; LmdbError when the file ends before that."""
        if self._fd < 0:
            raise LmdbError("the database was closed")
        if offset + size > self._size:
            raise self._cut_off(offset + size)
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                raise self._cut_off(offset + size)
            data += more
        return data

    def records(self, start: bytes | None = None) -> Iterator[LmdbRecord]:
        """Records in key order, from the first key that is not below ``start``."""
        if self._root != _NO_PAGE:
            yield from self._walk(self._root, start, iter(range(self._last_page)))

    def _cut_off(self, needed: int) -> LmdbError:
        return LmdbError(
            f"the file is cut off: it has {self._size} bytes and its records reach to byte {needed}"
        )

    def _read_metas(self) -> None:
        if self._size < _HEADER.size + _META_BYTES:
            raise LmdbError(f"a file of {self._size} bytes is too short for an LMDB")
        first = self._parse_meta(self.read_bytes(0, _HEADER.size + _META_BYTES))
        if first is None:
            raise LmdbError("it does not begin as an LMDB file does")
        page_size, transaction, last_page, tree = first
        self.page_size = page_size
        second_bytes = self.read_bytes(page_size, _HEADER.size + _META_BYTES)
        second = self._parse_meta(second_bytes)
        if second is not None and second[1] > transaction:
            _, transaction, last_page, tree = second
        flags, self.entries, self._root = tree[1], tree[6], tree[7]
        if flags & (_SUB_TREE | _DUPLICATES):
            raise LmdbError("it holds several values per key; an image database holds one")
        self._last_page = last_page

    @staticmethod
    def _parse_meta(data: bytes) -> tuple[int, int, int, tuple[int, ...]] | None:
        """(page size, transaction, last page, main tree), or None where this is no meta page."""
        flags = _HEADER.unpack_from(data)[2]
        magic, version, _, _ = _META.unpack_from(data, _HEADER.size)
        if not flags & _META_PAGE or magic != _MAGIC:
            return None
        if version != 1:
            raise LmdbError(f"it is of LMDB data version {version}; version 1 is read")
        at = _HEADER.size + _META.size
        page_size = _TREE.unpack_from(data, at)[0]
        tree = _TREE.unpack_from(data, at + _TREE.size)
        last_page, transaction = struct.unpack_from("<QQ", data, at + 2 * _TREE.size)
        if page_size & (page_size - 1) or not 512 <= page_size <= 65536:
            raise LmdbError(f"it says that a page has {page_size} bytes")
        return page_size, transaction, last_page, tree

    def _page(self, number: int) -> tuple[bytes, int, int]:
        """A tree page: its bytes, its kind, and how many nodes it has."""
        if number > self._last_page or number < 2:
            raise LmdbError(f"it points to page {number}, which it does not have")
        data = self.read_bytes(number * self.page_size, self.page_size)
        stored, _, flags, lower, upper = _HEADER.unpack_from(data)
        kind = flags & (_BRANCH | _LEAF)
        if (
            stored != number
            or kind not in (_BRANCH, _LEAF)
            or flags & 0x60
            or not _HEADER.size <= lower <= upper <= self.page_size
        ):
            raise LmdbError(f"page {number} is damaged")
        return data, kind, (lower - _HEADER.size) // 2

    def _walk(
        self, number: int, start: bytes | None, visits: Iterator[int]
    ) -> Iterator[LmdbRecord]:
        if next(visits, None) is None:
            raise LmdbError("its tree points back to itself")
        data, kind, count = self._page(number)
        offsets = struct.unpack_from(f"<{count}H", data, _HEADER.size)
        begin = self._first_child(data, offsets, kind, start) if start is not None else 0
        for index in range(begin, count):
            low, high, flags, key_size = self._node(data, number, offsets[index])
            at = offsets[index] + _NODE.size
            if kind == _BRANCH:
                child = low | high << 16 | flags << 32
                yield from self._walk(child, start if index == begin else None, visits)
                continue
            key = data[at : at + key_size]
            if flags & (_SUB_TREE | _DUPLICATES):
                raise LmdbError(f"key {key!r} is a database of its own, not a record")
            yield self._record(data, number, key, at + key_size, low | high << 16, flags)

    def _node(self, data: bytes, number: int, offset: int) -> tuple[int, int, int, int]:
        if not _HEADER.size <= offset <= len(data) - _NODE.size:
            raise LmdbError(f"page {number} is damaged")
        low, high, flags, key_size = _NODE.unpack_from(data, offset)
        if offset + _NODE.size + key_size > len(data):
            raise LmdbError(f"page {number} is damaged")
        return low, high, flags, key_size

    def _first_child(self, data: bytes, offsets: tuple[int, ...], kind: int, start: bytes) -> int:
        """Leaf: the first node with key >= start. Branch: the last child that may hold it."""
        low, high = 0, len(offsets)
        if kind == _BRANCH:
            low = min(1, high)  # the first branch key is empty and below everything
        while low < high:
            middle = (low + high) // 2
            key_size = self._node(data, 0, offsets[middle])[3]
            at = offsets[middle] + _NODE.size
            key = data[at : at + key_size]
            if key < start or (kind == _BRANCH and key == start):
                low = middle + 1
            else:
                high = middle
        return max(low - 1, 0) if kind == _BRANCH else low

    def _record(
        self, data: bytes, number: int, key: bytes, at: int, size: int, flags: int
    ) -> LmdbRecord:
        if not flags & _BIG_VALUE:
            if at + size > len(data):
                raise LmdbError(f"page {number} is damaged")
            return LmdbRecord(key, self, number * self.page_size + at, size)
        if at + 8 > len(data):
            raise LmdbError(f"page {number} is damaged")
        page = int.from_bytes(data[at : at + 8], "little")
        pages = -(-(size + _HEADER.size) // self.page_size)
        if page < 2 or page + pages - 1 > self._last_page:
            raise LmdbError(f"key {key!r} points to page {page}, which the database does not have")
        offset = page * self.page_size + _HEADER.size
        if offset + size > self._size:
            raise self._cut_off(offset + size)
        return LmdbRecord(key, self, offset, size)

"""The records of a snapshot: a walk through its B+tree that believes nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .damage import LmdbError, damaged_page
from .meta import HEADER, NO_PAGE
from .snapshot import Snapshot

_NODE = struct.Struct("<HHHH")  # low, high, flags, key size
_BRANCH, _LEAF = 1, 2
_KINDS_OF_DUPLICATES = 0x60
_BIG_VALUE, _SUB_TREE, _DUPLICATES = 1, 2, 4

MOST_VALUE_BYTES = 1 << 29
"""Larger values are refused; protobuf reads no Datum of that size."""


@dataclass(slots=True)
class LmdbRecord:
    """A key, and where its value lies; `read` fetches it, on any thread.

    ``page`` is the first of the value's own pages, 0 for a value at ``offset`` of a leaf.
    """

    key: bytes
    snapshot: Snapshot
    page: int
    offset: int
    size: int

    def read(self) -> bytes:
        """The value's bytes."""
        if self.page:
            return self.snapshot.read_run(self.page, self.size)
        return self.snapshot.read_bytes(self.offset, self.size)


def records(snapshot: Snapshot, start: bytes | None = None) -> Iterator[LmdbRecord]:
    """Records in key order, from the first key that is not below ``start``.

    Keys ascend strictly over the whole walk, so that no page comes twice: neither cycles nor
    pages with several parents can make it long. Raises LmdbError.
    """
    meta = snapshot.meta
    if meta.root == NO_PAGE:
        return
    count = 0
    before: bytes | None = None
    for record in _Walk(snapshot).below(meta.root, 1, None, None, start):
        if before is not None and record.key <= before:
            raise LmdbError(f"key {record.key!r} is out of order")
        before = record.key
        count += 1
        if count > meta.entries:
            break
        yield record
    if count > meta.entries or (start is None and count < meta.entries):
        told = "more" if count > meta.entries else str(count)
        raise LmdbError(f"it says that it has {meta.entries} records, and has {told}")


class _Walk:
    """Goes down from page to page; what it meets lies in the file and in its parent's range."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._page_size = snapshot.file.page_size
        self._last_page = snapshot.meta.last_page
        self._depth = snapshot.meta.depth

    def below(
        self, number: int, level: int, low: bytes | None, high: bytes | None, start: bytes | None
    ) -> Iterator[LmdbRecord]:
        """Records below a page, whose keys are to lie from ``low`` to before ``high``."""
        data, kind, offsets = self._page(number)
        if (kind == _LEAF) != (level == self._depth):
            raise damaged_page(number, f"it stands on level {level} of {self._depth}")
        nodes = [self._node(data, number, offset) for offset in offsets]
        keys = [data[at : at + size] for _, _, at, size in nodes]
        if kind == _BRANCH:
            keys[0] = low if low is not None else b""  # what is stored there means nothing
        elif (low is not None and keys[0] < low) or (high is not None and keys[-1] >= high):
            raise damaged_page(number, "its keys are not those that its parent says")
        begin = self._first(keys, kind, start) if start is not None else 0
        for index in range(begin, len(nodes)):
            pointer, flags, at, size = nodes[index]
            if kind == _LEAF:
                yield self._record(data, number, keys[index], at + size, pointer, flags)
                continue
            yield from self.below(
                pointer | flags << 32,
                level + 1,
                keys[index] if index else low,
                keys[index + 1] if index + 1 < len(keys) else high,
                start if index == begin else None,
            )

    def _page(self, number: int) -> tuple[bytes, int, tuple[int, ...]]:
        """A tree page: its bytes, its kind, and where its nodes are."""
        if number > self._last_page or number < 2:
            raise LmdbError(f"it points to page {number}, which it does not have")
        size = self._page_size
        data = self._snapshot.read_bytes(number * size, size)
        stored, _, flags, lower, upper = HEADER.unpack_from(data)
        kind = flags & (_BRANCH | _LEAF)
        if stored != number:
            raise damaged_page(number, f"it says that it is page {stored}")
        if kind not in (_BRANCH, _LEAF) or flags & _KINDS_OF_DUPLICATES:
            raise damaged_page(number, "it is no page of the tree")
        if not HEADER.size < lower <= upper <= size or lower % 2:
            raise damaged_page(number, "it says that it has no room, or no records")
        return data, kind, struct.unpack_from(f"<{(lower - HEADER.size) // 2}H", data, HEADER.size)

    @staticmethod
    def _node(data: bytes, number: int, offset: int) -> tuple[int, int, int, int]:
        """A node's pointer or size, its flags, where its key begins, the key's bytes."""
        if not HEADER.size <= offset <= len(data) - _NODE.size:
            raise damaged_page(number, "a record lies outside of it")
        low, high, flags, key_size = _NODE.unpack_from(data, offset)
        if offset + _NODE.size + key_size > len(data):
            raise damaged_page(number, "a key lies outside of it")
        return low | high << 16, flags, offset + _NODE.size, key_size

    @staticmethod
    def _first(keys: list[bytes], kind: int, start: bytes) -> int:
        """Leaf: the first node with key >= start. Branch: the last child that may hold it."""
        low, high = (1 if kind == _BRANCH else 0), len(keys)
        while low < high:
            middle = (low + high) // 2
            if keys[middle] < start or (kind == _BRANCH and keys[middle] == start):
                low = middle + 1
            else:
                high = middle
        return low - 1 if kind == _BRANCH else low

    def _record(
        self, data: bytes, number: int, key: bytes, at: int, size: int, flags: int
    ) -> LmdbRecord:
        if flags & (_SUB_TREE | _DUPLICATES):
            raise LmdbError(f"key {key!r} is a database of its own, not a record")
        if not flags & _BIG_VALUE:
            if at + size > len(data):
                raise damaged_page(number, "a value lies outside of it")
            return LmdbRecord(key, self._snapshot, 0, number * self._page_size + at, size)
        if at + 8 > len(data):
            raise damaged_page(number, "a value lies outside of it")
        if size > MOST_VALUE_BYTES:
            raise LmdbError(f"key {key!r} says that its value has {size} bytes")
        page = int.from_bytes(data[at : at + 8], "little")
        pages = -(-(size + HEADER.size) // self._page_size)
        if page < 2 or page + pages - 1 > self._last_page:
            raise LmdbError(f"key {key!r} points to page {page}, which the database does not have")
        end = page * self._page_size + HEADER.size + size
        self._snapshot.file.check_reaches(end)
        return LmdbRecord(key, self._snapshot, page, 0, size)

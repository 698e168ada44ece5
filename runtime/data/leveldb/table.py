"""Sorted tables: an index, the blocks it names, and their entries in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from .block import TRAILER_BYTES, Block, BlockPlace, block_entries, check_block, read_block
from .damage import LevelError, damaged
from .manifest import TableEntry
from .numbers import VALUE, read_number, split_key
from .open_file import OpenFile

_FOOTER_BYTES = 48
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_NEWEST = 1 << 64


@dataclass(slots=True)
class StoredValue:
    """A value inside a block, which is in memory."""

    block: Block
    begin: int
    end: int

    def read(self) -> bytes:
        """The value's bytes."""
        return bytes(memoryview(self.block.data)[self.begin : self.end])

    def distant(self) -> DistantValue:
        """The same value without its block."""
        return DistantValue(self.block.place, self.begin, self.end)


@dataclass(slots=True)
class DistantValue:
    """A value inside a block, which is read again with it."""

    place: BlockPlace
    begin: int
    end: int

    def read(self) -> bytes:
        """The value's bytes. Raises LevelError, OSError."""
        block = self.place.read()
        if self.end > block.size:
            raise damaged(self.place.path, self.place.offset, "a block is another than before")
        return StoredValue(block, self.begin, self.end).read()


@dataclass(frozen=True, slots=True)
class _Handle:
    """A block's place; ``last`` is not below its last key, ordered as the table is."""

    offset: int
    size: int
    last: tuple[bytes, int] = (b"", 0)


class Table:
    """A table opened for reading. Raises LevelError when it is not whole.

    Args:
        entry: what the manifest says about it.
        last_sequence: the number of the manifest's last write; tables hold none after it.
    """

    def __init__(self, file: OpenFile, entry: TableEntry, last_sequence: int) -> None:
        self._file = file
        self._entry = entry
        self._newest = last_sequence << 8 | 0xFF
        self._index = self._read_index()
        self._lasts = [handle.last for handle in self._index]

    def close(self) -> None:
        """Close the file; what `entries` has given stays readable."""
        self._file.close()

    def check(self) -> None:
        """Check the checksum of every block."""
        for handle in self._index:
            check_block(self._file, handle.offset, handle.size)

    def entries(self, start: bytes | None) -> Iterator[tuple[bytes, int, StoredValue | None]]:
        """User keys from ``start`` on, with minus their tag and the value, None if deleted.

        Pairs of key and minus the tag ascend strictly, also where the file is hostile.
        """
        first = 0 if start is None else bisect_left(self._lasts, (start, -_NEWEST))
        before: tuple[bytes, int] | None = self._lasts[first - 1] if first else None
        for handle in self._index[first:]:
            block = read_block(self._file, handle.offset, handle.size)
            try:
                for stored, begin, end in block_entries(block):
                    key, tag = split_key(stored)
                    here = (key, -tag)
                    if before is None:
                        self._check_first(here)
                    elif here <= before:
                        raise LevelError(f"key {key!r} is out of order")
                    if tag > self._newest:
                        raise LevelError(f"key {key!r} is newer than the manifest")
                    before = here
                    if start is None or key >= start:
                        value = StoredValue(block, begin, end) if tag & 0xFF == VALUE else None
                        yield key, -tag, value
                if before is None or before > handle.last:
                    raise LevelError("its keys are not those that the index says")
            except LevelError as error:
                raise damaged(self._file.path, handle.offset, str(error)) from error
        key, tag = self._entry.largest
        if before != (key, -tag):
            raise LevelError(f"{self._file.path.name} does not end where the manifest says")

    def _check_first(self, here: tuple[bytes, int]) -> None:
        key, tag = self._entry.smallest
        if here != (key, -tag):
            raise LevelError("it does not begin where the manifest says")

    def _read_index(self) -> list[_Handle]:
        file, size = self._file, self._file.size
        if size < _FOOTER_BYTES:
            raise damaged(file.path, 0, f"{size} bytes are too few for a table")
        at = size - _FOOTER_BYTES
        footer = file.read(at, _FOOTER_BYTES)
        if footer[-8:] != _MAGIC:
            raise damaged(file.path, size - 8, "it does not end as a table does")
        try:
            meta, end = _handle(footer, 0, 40)
            index, end = _handle(footer, end, 40)
            if any(footer[end:40]):
                raise LevelError("the padding of its footer is not empty")
            for handle in (meta, index):
                self._check_place(handle, 0, at)
        except LevelError as error:
            raise damaged(file.path, at, str(error)) from error
        try:
            self._check_meta(meta)
            return list(self._handles(index, meta.offset))
        except LevelError as error:
            raise damaged(file.path, index.offset, str(error)) from error

    def _check_meta(self, meta: _Handle) -> None:
        """Filters and the like are not used, but bits that flipped there are told."""
        block = read_block(self._file, meta.offset, meta.size)
        behind = 0
        for _, begin, end in block_entries(block):
            handle, _ = _handle(block.data, begin, end)
            self._check_place(handle, behind, meta.offset)
            behind = handle.offset + handle.size + TRAILER_BYTES
            check_block(self._file, handle.offset, handle.size)

    def _handles(self, index: _Handle, limit: int) -> Iterator[_Handle]:
        block = read_block(self._file, index.offset, index.size)
        behind = 0
        before: tuple[bytes, int] | None = None
        for stored, begin, end in block_entries(block):
            key, tag = split_key(stored)
            last = (key, -tag)
            handle, _ = _handle(block.data, begin, end)
            self._check_place(handle, behind, limit)
            if before is not None and last <= before:
                raise LevelError("its index is out of order")
            before, behind = last, handle.offset + handle.size + TRAILER_BYTES
            yield _Handle(handle.offset, handle.size, last)

    def _check_place(self, handle: _Handle, begin: int, end: int) -> None:
        if handle.offset < begin or handle.offset + handle.size + TRAILER_BYTES > end:
            raise LevelError(
                f"a block of {handle.size} bytes at byte {handle.offset} does not lie between "
                f"bytes {begin} and {end}"
            )


def _handle(data: bytes | bytearray, at: int, end: int) -> tuple[_Handle, int]:
    offset, at = read_number(data, at, end)
    size, at = read_number(data, at, end)
    return _Handle(offset, size), at

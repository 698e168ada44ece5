"""Write batches: what a write-ahead log holds, read without holding whole batches in memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .damage import cut_off, damaged
from .log import Fragment, fragments, read_span
from .numbers import DELETION, MOST_KEY_BYTES, VALUE
from .open_file import OpenFile

_HEAD = struct.Struct("<QI")  # sequence number of the first write, how many there are


@dataclass(slots=True)
class LoggedValue:
    """Where a log holds a value: the header of its first fragment, its first byte, its size."""

    file: OpenFile
    header: int
    at: int
    size: int

    def read(self) -> bytes:
        """The value's bytes, their checksums checked again."""
        return read_span(self.file, self.header, self.at, self.size)


@dataclass(slots=True)
class LoggedWrite:
    """A write: its key, its tag (see `numbers.split_key`), its value unless it deletes."""

    key: bytes
    tag: int
    value: LoggedValue | None


@dataclass(slots=True)
class Sequence:
    """How far the sequence numbers have come; logs count on from each other.

    ``known`` is the number of the manifest's last write, beyond which no gap can be right.
    """

    known: int
    last: int | None = None


def logged_writes(file: OpenFile, sequence: Sequence) -> Iterator[LoggedWrite]:
    """The writes of a log in their order.

    Args:
        sequence: moved on; numbers that are left out are writes that are missing.

    Raises LevelError for what is not whole.
    """
    cursor = _Cursor(file)
    while cursor.next_record():
        first, count = _HEAD.unpack(cursor.take(_HEAD.size))
        before = sequence.last
        if first > sequence.known + 1 if before is None else first != before + 1:
            raise damaged(
                file.path,
                cursor.begin,
                f"write number {first} follows number "
                f"{sequence.known if before is None else before}: records are missing",
            )
        if not count:
            sequence.last = first - 1
        for number in range(first, first + count):
            kind = cursor.take(1)[0]
            if kind not in (DELETION, VALUE):
                raise damaged(file.path, cursor.begin, f"a write of kind {kind}; 0 and 1 are known")
            size = cursor.number()
            if size > MOST_KEY_BYTES:
                raise damaged(file.path, cursor.begin, f"a key of {size} bytes")
            key = cursor.take(size)
            value = cursor.value() if kind == VALUE else None
            sequence.last = number
            yield LoggedWrite(key, number << 8 | kind, value)
        if not cursor.at_end:
            raise damaged(file.path, cursor.begin, f"a batch of {count} writes has more bytes")


class _Cursor:
    """Walks through a log's records, from one fragment to the next."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._fragments = fragments(file)
        self._fragment = Fragment(0, b"", True, True)
        self._at = 0
        self.begin = 0

    @property
    def at_end(self) -> bool:
        """Whether the record has been read to its end."""
        while self._at == len(self._fragment.data) and not self._fragment.ends:
            self._advance()
        return self._at == len(self._fragment.data)

    def next_record(self) -> bool:
        """Go to the next record; False at the end of the log."""
        fragment = next(self._fragments, None)
        if fragment is None:
            return False
        self._fragment, self._at, self.begin = fragment, 0, fragment.offset
        return True

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes, which are few."""
        data = self._fragment.data[self._at : self._at + size]
        self._at += len(data)
        while len(data) < size:
            self._advance()
            more = self._fragment.data[: size - len(data)]
            self._at = len(more)
            data += more
        return data

    def number(self) -> int:
        """A varint of 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80 and value < 1 << 32:
                return value
        raise damaged(self._file.path, self.begin, "a size exceeds 32 bits")

    def value(self) -> LoggedValue:
        """The place of the value that follows; goes on behind it."""
        size = self.number()
        if self._at == len(self._fragment.data) and size:
            self._advance()
        header = self._fragment.offset
        value = LoggedValue(self._file, header, header + 7 + self._at, size)
        left = size
        while left > (there := len(self._fragment.data) - self._at):
            left -= there
            self._advance()
        self._at += left
        return value

    def _advance(self) -> None:
        if self._fragment.ends:
            raise damaged(
                self._file.path, self.begin, "a batch ends inside one of the writes it announces"
            )
        fragment = next(self._fragments, None)
        if fragment is None:
            raise cut_off(self._file.path, self._file.size, "inside a record")
        self._fragment, self._at = fragment, 0

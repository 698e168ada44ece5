"""The log format of write-ahead logs and manifests: records in checked fragments.

A log is made of blocks of 32 KiB. A fragment never crosses a block's border; a record is one
FULL fragment, or FIRST, any number of MIDDLE, and LAST. LevelDB takes what is cut off or
damaged at the end of a log for a crash of its writer and drops it; here it is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .checksum import masked_checksum
from .damage import LevelError, cut_off, damaged
from .open_file import OpenFile

BLOCK_BYTES = 1 << 15
_HEADER = struct.Struct("<IHB")  # checksum of the kind and the bytes, their count, the kind
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_READ_BYTES = 32 * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Fragment:
    """The bytes of a fragment, whose header is at ``offset`` of the file."""

    offset: int
    data: bytes
    begins: bool
    ends: bool


def fragments(file: OpenFile) -> Iterator[Fragment]:
    """All fragments of a log, in an order that makes whole records. Raises LevelError."""
    masked = masked_checksum()
    path = file.path
    inside = False
    padded = 0
    for start in range(0, file.size, BLOCK_BYTES):
        if start % _READ_BYTES == 0:
            base, chunk = start, file.read(start, min(_READ_BYTES, file.size - start))
        at, full = start, start + BLOCK_BYTES
        end = min(full, file.size)
        while full - at >= _HEADER.size and at < end:
            padded = 0
            if end - at < _HEADER.size:
                raise cut_off(path, file.size, f"inside the head of a record (byte {at})")
            stored, size, kind = _HEADER.unpack_from(chunk, at - base)
            after = at + _HEADER.size + size
            if after > full:
                raise damaged(path, at, f"a piece of {size} bytes does not fit into its block")
            if after > end:
                raise cut_off(path, file.size, f"and the record at byte {at} reaches to {after}")
            if masked(chunk[at - base + 6 : after - base]) != stored:
                raise damaged(path, at, "the checksum of a record is wrong")
            if not _FULL <= kind <= _LAST or (kind in (_MIDDLE, _LAST)) != inside:
                raise damaged(path, at, f"a piece of kind {kind} does not belong here")
            inside = kind in (_FIRST, _MIDDLE)
            data = chunk[at - base + _HEADER.size : after - base]
            yield Fragment(at, data, kind in (_FULL, _FIRST), not inside)
            at = after
        padded = end - at  # too little for a header: zeros, written with the next record
        if any(chunk[at - base : end - base]):
            raise damaged(path, at, "the padding at the end of a block is not empty")
    if inside or padded:
        raise cut_off(path, file.size, "and a record goes on behind that")


def whole_records(file: OpenFile) -> Iterator[tuple[int, bytes]]:
    """The records of a log, each with the offset of its first fragment."""
    parts: list[bytes] = []
    offset = 0
    for fragment in fragments(file):
        if fragment.begins:
            offset, parts = fragment.offset, []
        parts.append(fragment.data)
        if fragment.ends:
            yield offset, b"".join(parts)


def read_span(file: OpenFile, header: int, at: int, size: int) -> bytes:
    """``size`` bytes of a record, from byte ``at`` of the fragment whose header is given.

    The fragments that hold them are checked once more. Raises LevelError.
    """
    masked = masked_checksum()
    end, left = at, size
    while left > (room := BLOCK_BYTES - end % BLOCK_BYTES):
        left -= room
        end += room + _HEADER.size
    end = min(file.size, -(-(end + left) // BLOCK_BYTES) * BLOCK_BYTES)
    chunk = file.read(header, end - header)
    parts = []
    here, skip = 0, at - header - _HEADER.size
    while size:
        if here + _HEADER.size > len(chunk):
            raise LevelError(f"{file.path.name} was changed while it was read")
        stored, length, _ = _HEADER.unpack_from(chunk, here)
        after = here + _HEADER.size + length
        if masked(chunk[here + 6 : after]) != stored:
            raise damaged(file.path, header + here, "the checksum of a record is wrong")
        piece = chunk[here + _HEADER.size + skip : min(after, here + _HEADER.size + skip + size)]
        parts.append(piece)
        size -= len(piece)
        here, skip = after, 0
    return b"".join(parts)

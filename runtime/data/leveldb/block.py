"""Blocks of a table: checked, decompressed, and their entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError

from .checksum import masked_checksum
from .damage import LevelError, damaged
from .numbers import MOST_KEY_BYTES, read_number
from .open_file import OpenFile

TRAILER_BYTES = 5
"""Behind a block: one byte that says how it is compressed, and the checksum of both."""

MOST_BLOCK_BYTES = 1 << 28
"""Larger blocks are refused; LevelDB ends a block with the record that passes its size."""

_PLAIN, _SNAPPY, _ZSTD = 0, 1, 2
_SNAPPY_GROWTH = 22  # three bytes copy 64 at most
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Block:
    """The bytes of a block up to ``size``; behind them may be more.

    ``place`` is where they come from.
    """

    data: bytes | bytearray
    size: int
    place: BlockPlace


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """Where a file holds a block: at byte ``offset``, ``size`` bytes as they are stored."""

    path: Path
    offset: int
    size: int

    def read(self) -> Block:
        """The block, read anew. Raises LevelError, OSError."""
        file = OpenFile(self.path)
        try:
            return read_block(file, self.offset, self.size)
        finally:
            file.close()


def check_block(file: OpenFile, offset: int, size: int) -> tuple[bytes, int]:
    """A block's bytes as they are stored, with its kind of compression behind them.

    Raises LevelError where the file ends before, or the checksum is another.
    """
    if size > MOST_BLOCK_BYTES:
        raise damaged(file.path, offset, f"a block says that it has {size} bytes")
    data = file.read(offset, size + 1)
    stored = int.from_bytes(file.read(offset + size + 1, 4), "little")
    if masked_checksum()(data) != stored:
        raise damaged(file.path, offset, "the checksum of a block is wrong")
    return data, data[size]


def read_block(file: OpenFile, offset: int, size: int) -> Block:
    """A block, decompressed. Raises LevelError, before it allocates what cannot be right."""
    data, kind = check_block(file, offset, size)
    place = BlockPlace(file.path, offset, size)
    if kind == _PLAIN:
        return Block(data, size, place)
    try:
        if kind == _SNAPPY:
            grown, _ = read_number(data, 0, size, 32)
            if grown > _SNAPPY_GROWTH * size:
                raise LevelError(f"{size} bytes of Snappy say that they become {grown}")
        elif kind == _ZSTD:
            grown = _zstd_size(data, size)
        else:
            raise LevelError(f"compression {kind} is not known")
        if grown > MOST_BLOCK_BYTES:
            raise LevelError(f"a block says that it becomes {grown} bytes")
        return Block(_decompress(kind, memoryview(data)[:size], grown), grown, place)
    except LevelError as error:
        raise damaged(file.path, offset, str(error)) from error


def _decompress(kind: int, data: memoryview, size: int) -> bytearray:
    cramjam = _import_cramjam()
    out = bytearray(size)
    decompress = (
        cramjam.snappy.decompress_raw_into if kind == _SNAPPY else (cramjam.zstd.decompress_into)
    )
    try:
        written = decompress(data, out)
    except cramjam.DecompressionError as error:
        raise LevelError(f"it cannot be decompressed: {error}") from error
    if written != size:
        raise LevelError(f"it said that it becomes {size} bytes, and became {written}")
    return out


def _import_cramjam() -> Any:
    try:
        import cramjam
    except ImportError as error:
        raise RoasteryError(
            "a compressed LevelDB needs the package cramjam, which is not installed",
            hint="pip install cramjam",
        ) from error
    return cramjam


def _zstd_size(data: bytes, size: int) -> int:
    """How many bytes a Zstandard frame says that it becomes (RFC 8878, 3.1.1.1)."""
    if size < 6 or data[:4] != _ZSTD_MAGIC:
        raise LevelError("it is no Zstandard frame")
    flags = data[4]
    single = flags >> 5 & 1
    at = 5 + (1 - single) + (0, 1, 2, 4)[flags & 3]
    width = (single, 2, 4, 8)[flags >> 6]
    if not width or at + width > size:
        raise LevelError("its Zstandard frame does not say how many bytes it becomes")
    return int.from_bytes(data[at : at + width], "little") + (256 if width == 2 else 0)


def block_entries(block: Block) -> Iterator[tuple[bytes, int, int]]:
    """Stored keys with where their values begin and end. Raises LevelError."""
    data, size = block.data, block.size
    if size < 4:
        raise LevelError(f"a block of {size} bytes is too short")
    restarts = int.from_bytes(data[size - 4 : size], "little")
    end = size - 4 - 4 * restarts
    if end < 0 or not restarts:
        raise LevelError(f"a block of {size} bytes says that it has {restarts} restart points")
    at = 0
    key = b""
    while at < end:
        if at + 3 <= end and data[at] < 128 and data[at + 1] < 128 and data[at + 2] < 128:
            shared, own, value_size = data[at], data[at + 1], data[at + 2]
            at += 3
        else:
            shared, at = read_number(data, at, end, 32)
            own, at = read_number(data, at, end, 32)
            value_size, at = read_number(data, at, end, 32)
        begin = at + own
        after = begin + value_size
        if shared > len(key) or after > end:
            raise LevelError("an entry reaches beyond its block")
        if shared + own > MOST_KEY_BYTES + 8:
            raise LevelError(f"a key of {shared + own} bytes")
        key = key[:shared] + bytes(data[at:begin])
        yield key, begin, after
        at = after

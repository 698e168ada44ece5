"""LevelDB files made byte by byte: right ones, and ones that no LevelDB would write."""

from __future__ import annotations

import struct
from pathlib import Path

from roastery.wire.encoding import varint
from runtime.data.leveldb.checksum import masked_checksum

COMPARATOR = b"leveldb.BytewiseComparator"


def text(content: bytes) -> bytes:
    return varint(len(content)) + content


def stored(key: bytes, sequence: int = 1, kind: int = 1) -> bytes:
    return key + (sequence << 8 | kind).to_bytes(8, "little")


def log(*records: bytes) -> bytes:
    """Records that fit into one block together, as FULL fragments."""
    out = b""
    for record in records:
        checksum = masked_checksum()(b"\x01" + record)
        out += struct.pack("<IHB", checksum, len(record), 1) + record
    return out


def batch(sequence: int, *writes: tuple[bytes, bytes | None]) -> bytes:
    """A write batch; a value of None deletes."""
    out = struct.pack("<QI", sequence, len(writes))
    for key, value in writes:
        out += b"\x00" + text(key) if value is None else b"\x01" + text(key) + text(value)
    return out


def entries(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A block without shared prefixes."""
    body = b"".join(
        varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in pairs
    )
    return body + struct.pack("<II", 0, 1)


def sealed(block: bytes, compression: int = 0) -> bytes:
    """A block with its trailer."""
    kind = bytes([compression])
    return block + kind + struct.pack("<I", masked_checksum()(block + kind))


def table(blocks: list[tuple[bytes, bytes, int]]) -> bytes:
    """A table of blocks: last stored key, bytes, compression."""
    out = b""
    index = []
    for last, block, compression in blocks:
        index.append((last, varint(len(out)) + varint(len(block))))
        out += sealed(block, compression)
    meta = entries([])
    handles = varint(len(out)) + varint(len(meta))
    out += sealed(meta)
    names = entries(index)
    handles += varint(len(out)) + varint(len(names))
    out += sealed(names)
    return out + handles.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")


def edit(
    *files: tuple[int, int, int, bytes, bytes],
    last_sequence: int = 100,
    log_number: int = 0,
    comparator: bytes = COMPARATOR,
) -> bytes:
    """A version edit: files are (level, number, size, smallest, largest)."""
    out = b"\x01" + text(comparator) + b"\x02" + varint(log_number)
    out += b"\x03" + varint(1000) + b"\x04" + varint(last_sequence)
    for level, number, size, smallest, largest in files:
        out += b"\x07" + varint(level) + varint(number) + varint(size)
        out += text(smallest) + text(largest)
    return out


def database(folder: Path, manifest: bytes, **files: bytes) -> Path:
    """A folder with CURRENT, a manifest of one record, and other files by t/l and number."""
    folder.mkdir()
    (folder / "CURRENT").write_text("MANIFEST-000001\n")
    (folder / "MANIFEST-000001").write_bytes(log(manifest))
    for name, content in files.items():
        ending = {"t": "ldb", "s": "sst", "l": "log"}[name[0]]
        (folder / f"{int(name[1:]):06d}.{ending}").write_bytes(content)
    return folder

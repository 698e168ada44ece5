"""The directory of an archive, read from its bytes: a zip in which there is room for nothing else.

Members lie one after the other from the first byte to the directory, and each is described twice in
the same words. So none overlaps another, none is hidden, and no byte beside the data means nothing.
What the bytes say is compared with how many there are before anything is taken at its word.
Facts: PKWARE's APPNOTE.TXT.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

STORED, DEFLATED = 0, 8

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_FIELD = struct.Struct("<2H")
_ATTRIBUTES = (0o644 << 16, 0o600 << 16)
_UNIX = 3
_MOST = 0xFFFFFFFF  # in 32 bits: more stands in an extra field
_SIZES = 1  # the extra field where it does
_SEAL = re.compile(rb"sha256 ([0-9a-f]{64})")
SEAL_BYTES = 7 + 64


class ArchiveMember(NamedTuple):
    """A member: ``nbytes`` of data, which are ``packed`` in the file, from ``start`` on."""

    name: str
    method: int
    encrypted: bool
    crc: int
    packed: int
    nbytes: int
    start: int


class Directory(NamedTuple):
    """``end``: where the members' descriptions end. ``seal``: SHA-256 of all before that, but for
    the data of members that are stored; None where the file has none."""

    entries: list[ArchiveMember]
    end: int
    seal: str | None


def read_directory(data: memoryview, most: int) -> Directory:
    """Of a whole file. Raises ValueError for anything but a zip of ours.

    Args:
        most: members.
    """
    end, seal = _end(data)
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(data, end)
    stop = end
    if end >= _LOCATOR.size and _mark(data, end - _LOCATOR.size) == b"PK\6\7":
        short = here, count, size, start
        stop, here, count, size, start = _end64(data, end)
        if short != (min(here, 0xFFFF), min(count, 0xFFFF), min(size, _MOST), min(start, _MOST)):
            raise ValueError("its directory is described in two ways")
    if disk or first_disk or here != count:
        raise ValueError("it is said to be one of several files")
    if count > most:
        raise ValueError(f"it has {count} members")
    if start + size != stop:
        raise ValueError("its directory is not where it is said to be")
    entries = list(_entries(data, start, stop, count))
    return Directory(entries, stop, seal)


def _end(data: memoryview) -> tuple[int, str | None]:
    """Where the last record begins, and the seal in it."""
    for comment in (0, SEAL_BYTES):
        end = len(data) - _END.size - comment
        if end < 0 or _mark(data, end) != b"PK\5\6":
            continue
        if _END.unpack_from(data, end)[-1] == comment:
            found = _SEAL.fullmatch(data[end + _END.size :])
            if found or not comment:
                return end, found[1].decode() if found else None
    raise ValueError("it does not end as a zip of ours does")


def _mark(data: memoryview, at: int) -> bytes:
    return bytes(data[at : at + 4])


def _end64(data: memoryview, end: int) -> tuple[int, int, int, int, int]:
    """The larger record before the last one: where it begins; members here and in all; bytes and
    begin of the directory."""
    at = end - _LOCATOR.size
    begin = at - _END64.size
    if begin < 0:
        raise ValueError("its directory is not where it is said to be")
    if _LOCATOR.unpack_from(data, at) != (b"PK\6\7", 0, begin, 1):
        raise ValueError("its directory is not where it is said to be")
    mark, length, made, needed, disk, first, here, count, size, start = _END64.unpack_from(
        data, begin
    )
    known = (b"PK\6\6", _END64.size - 12, 45, 45, 0, 0)
    if (mark, length, made, needed, disk, first) != known:
        raise ValueError("its directory has a header that is none")
    return begin, here, count, size, start


def _entries(data: memoryview, at: int, stop: int, count: int) -> Iterator[ArchiveMember]:
    begin = 0  # of the next member
    first = at
    for _ in range(count):
        if at + _CENTRAL.size > stop:
            raise ValueError("its directory is cut off")
        fields = _CENTRAL.unpack_from(data, at)
        mark, made, needed, flags, method, clock, day, crc, packed, nbytes = fields[:10]
        length, more, comment, disk, internal, external, local = fields[10:]
        at += _CENTRAL.size
        if mark != b"PK\1\2" or at + length + more > stop:
            raise ValueError("its directory is damaged")
        name, extra = bytes(data[at : at + length]), bytes(data[at + length : at + length + more])
        at += length + more
        said = name[:80].decode(errors="backslashreplace")
        if comment or disk or internal or external not in _ATTRIBUTES:
            raise ValueError(f"member {said!r} is described as no file of an artifact is")
        sizes = {"nbytes": nbytes, "packed": packed, "local": local}
        rest = _without_sizes(extra, sizes, said)
        if sizes["local"] != begin:
            raise ValueError(f"member {said!r} is not where the one before it ends")
        if begin + _LOCAL.size > first:
            raise ValueError(f"member {said!r} is cut off")
        own_mark, own_needed, *own_rest, own_packed, own_nbytes, own_length, own_more = (
            _LOCAL.unpack_from(data, begin)
        )
        start = begin + _LOCAL.size + own_length + own_more
        if start > first:
            raise ValueError(f"member {said!r} is cut off")
        own_name = bytes(data[start - own_more - own_length : start - own_more])
        own_sizes = {"nbytes": own_nbytes, "packed": own_packed}
        own_extra = _without_sizes(bytes(data[start - own_more : start]), own_sizes, said)
        described = [flags, method, clock, day, crc]
        large = own_nbytes == _MOST or len(rest) < len(extra)
        if (
            (own_mark, own_rest, own_name, own_extra) != (b"PK\3\4", described, name, rest)
            or not own_sizes.items() <= sizes.items()
            or (own_needed != needed and not large)
        ):
            raise ValueError(f"member {said!r} is described in two ways")
        encrypted = bool(flags & 1)
        known = method in (STORED, DEFLATED) and not encrypted
        versions = {needed, own_needed, made & 255}
        if known and (
            flags & ~0x800 or made >> 8 != _UNIX or not versions <= ({20, 45} if large else {20})
        ):
            raise ValueError(f"member {said!r} is described as no file of an artifact is")
        begin = start + sizes["packed"]
        if begin > first:
            raise ValueError(f"member {said!r} is cut off")
        text = name.decode("ascii", "backslashreplace")
        yield ArchiveMember(text, method, encrypted, crc, sizes["packed"], sizes["nbytes"], start)
    if at != stop or begin != first:
        raise ValueError("it holds more than its directory says")


def _without_sizes(extra: bytes, sizes: dict[str, int], name: str) -> bytes:
    """Extra fields without that of sizes that need 64 bits, which are put in their place."""
    large = [key for key, size in sizes.items() if size == _MOST]
    kept = b""
    at = 0
    while at < len(extra):
        kind, length = _FIELD.unpack_from(extra.ljust(at + 4, b"\0"), at)
        field = extra[at : at + 4 + length]
        if len(field) < 4 + length:
            raise ValueError(f"member {name!r} has a field that is cut off")
        at += len(field)
        if kind != _SIZES:
            kept += field
        elif length != 8 * len(large) or not large:
            raise ValueError(f"member {name!r} says its size in two ways")
        else:
            sizes.update(zip(large, struct.unpack_from(f"<{len(large)}Q", field, 4), strict=True))
            large = []
    if large:
        raise ValueError(f"member {name!r} says no size")
    return kept

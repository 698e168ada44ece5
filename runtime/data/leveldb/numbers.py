"""Numbers and keys as LevelDB stores them."""

from __future__ import annotations

from .damage import LevelError

MOST_KEY_BYTES = 1 << 16
"""Longer keys are refused: a block of prefixes could make each of its keys as long as itself."""

DELETION, VALUE = 0, 1


def read_number(data: bytes | bytearray, at: int, end: int, bits: int = 64) -> tuple[int, int]:
    """A varint of at most ``bits`` bits, and the position after it; LevelError at ``end``."""
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> bits:
                break
            return value, at
        shift += 7
        if shift > bits:
            break
    if at < end or shift > bits or value >> bits:
        raise LevelError(f"a number exceeds {bits} bits")
    raise LevelError("a number has no end")


def split_key(stored: bytes) -> tuple[bytes, int]:
    """A stored key as the user's key, and its tag: the sequence number times 256, plus the kind.

    Stored keys are ordered by the user's key, and then from the newest to the oldest.
    """
    if len(stored) < 8:
        raise LevelError(f"a key has {len(stored)} bytes, and needs 8 behind the user's")
    if stored[-8] not in (DELETION, VALUE):
        raise LevelError(f"a key is of kind {stored[-8]}; 0 and 1 are known")
    return stored[:-8], int.from_bytes(stored[-8:], "little")

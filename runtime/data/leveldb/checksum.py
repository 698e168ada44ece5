"""LevelDB's checksums: CRC-32C, rotated and moved, so that a checksum of checksums is none."""

from __future__ import annotations

from collections.abc import Callable

from ir.errors import RoasteryError

_MASK_DELTA = 0xA282EAD8


def masked_checksum() -> Callable[[bytes], int]:
    """The function that gives the stored form of the checksum of some bytes."""
    try:
        from google_crc32c import value
    except ImportError as error:
        raise RoasteryError(
            "reading LevelDB needs the package google-crc32c, which is not installed",
            hint="pip install google-crc32c",
        ) from error

    def masked(data: bytes) -> int:
        plain = value(data)
        return ((plain >> 15 | plain << 17) + _MASK_DELTA) & 0xFFFFFFFF

    return masked

"""Pictures as PNG files, without a library: a few small ones are written."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def png(pixels: np.ndarray) -> bytes:
    """The bytes of a file. ``pixels``: (height, width, 3), uint8, red first."""
    height, width, channels = pixels.shape
    assert channels == 3 and pixels.dtype == np.uint8
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with the number of its filter
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

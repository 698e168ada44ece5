"""JPEG: the size, and what its way of storing them costs."""

from __future__ import annotations

import struct

from .picture_size import BadHeader, PictureSize

_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_SCAN, _END = 0xDA, 0xD9
_MOST_SCANNED = 2_000_000_000
"""Pixels times scans: each scan goes over the whole picture again."""
_MOST_PIXELS, _MOST_PIXELS_ARITHMETIC = 8 * 64, 1 << 16
"""In a byte. Huffman codes take a bit or more for each block of 64 pixels; arithmetic codes can
take next to nothing for what repeats.
"""


def jpeg_header(data: memoryview) -> PictureSize:
    """The size of the frame. Raises BadHeader for a file without one, or with endless scans."""
    frame: tuple[int, int, int] | None = None
    coefficients = 0
    place = 2
    while True:
        while data[place] == 0xFF and data[place + 1] == 0xFF:  # padding
            place += 1
        mark, code = data[place], data[place + 1]
        if mark != 0xFF or code == _END:
            raise BadHeader("it has no sound frame header")
        place += 2
        if code in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, place)
        if code in _FRAMES:
            height, width, count = struct.unpack_from(">HHB", data, place + 3)
            frame = width, height, count
            factors = [data[place + 9 + 3 * i] for i in range(count)]
            coefficients = _coefficient_bytes(factors)
            progressive = code not in (0xC0, 0xC1)
            packed = _MOST_PIXELS_ARITHMETIC if code >= 0xC9 else _MOST_PIXELS
        if code == _SCAN:
            break
        place += length
    if frame is None:
        raise BadHeader("it has no frame header")
    width, height, count = frame
    scans = bytes(data).count(b"\xff\xda")
    if scans * width * height > max(_MOST_SCANNED, width * height):
        raise BadHeader(f"it is {width} x {height} pixels in {scans} scans; no encoder writes so")
    whole = progressive or data[place + 2] < count  # scans that do not hold all components
    decoding = max(3, count) + (coefficients if whole else 0)
    return PictureSize(width, height, decoding, width * height // packed)


def _coefficient_bytes(factors: list[int]) -> int:
    """Bytes per pixel where all coefficients are kept: 16 bits for every sample."""
    sampled = [(factor >> 4) * (factor & 15) for factor in factors]
    largest = max((f >> 4 for f in factors), default=1) * max((f & 15 for f in factors), default=1)
    return -(-2 * sum(sampled) // max(1, largest))

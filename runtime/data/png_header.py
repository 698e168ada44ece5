"""PNG: the size, and whether its chunks lie in the file."""

from __future__ import annotations

import struct

from .picture_size import BadHeader, PictureSize

_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}  # by colour type, as OpenCV decodes them
_STORED = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type, in the file
_MOST_CHUNKS = 1_000_000
_MOST_UNPACKED = 1032
"""Bytes that one byte of deflate can become."""


def png_header(data: memoryview) -> PictureSize:
    """The size of IHDR. Raises BadHeader for a chunk that claims more than the file has.

    Decoders take memory for what a chunk claims before they read it.
    """
    width, height, depth, color = struct.unpack_from(">IIBB", data, 16)
    if bytes(data[12:16]) != b"IHDR" or color not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise BadHeader("it has no sound IHDR chunk")
    place, chunks = 8, 0
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if length > len(data) - place - 8:
            raise BadHeader(
                f"its chunk {ascii(kind)[2:-1]} claims {length} bytes, "
                f"{len(data) - place - 8} are left"
            )
        if kind == b"IEND":
            break
        place += 12 + length
        chunks += 1
        if chunks > _MOST_CHUNKS:
            raise BadHeader(f"it has more than {_MOST_CHUNKS} chunks")
    # OpenCV holds the picture twice: as a frame of an animation, and as the result.
    decoding = 2 * max(3, _CHANNELS[color]) * (2 if depth == 16 else 1)
    stored = height * -(-width * depth * _STORED[color] // 8)
    return PictureSize(width, height, decoding, stored // _MOST_UNPACKED)

"""TIFF: the tags of the first picture that say how large it is."""

from __future__ import annotations

import struct

from .picture_size import BadHeader, PictureSize

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 258, 277, 322, 323
_SIZES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # BYTE, SHORT, LONG, LONG8


def tiff_header(data: memoryview) -> PictureSize:
    """The size of the first picture. Raises BadHeader for a file without one."""
    order = "<" if data[0] == ord("I") else ">"
    big = 43 in (data[2], data[3])
    first = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    if first > len(data):
        raise BadHeader("its directory lies behind its end")
    count = struct.unpack_from(order + ("Q" if big else "H"), data, first)[0]
    entry, begin = (20, first + 8) if big else (12, first + 2)
    tags: dict[int, int] = {}
    for index in range(min(count, 4096)):
        place = begin + index * entry
        if place + entry > len(data):
            break
        tag, kind = struct.unpack_from(order + "HH", data, place)
        values = struct.unpack_from(order + ("Q" if big else "I"), data, place + 4)[0]
        inline = place + (12 if big else 8)
        if kind not in _SIZES:
            continue
        size = struct.calcsize(_SIZES[kind])
        if values * size > (8 if big else 4):
            inline = struct.unpack_from(order + ("Q" if big else "I"), data, inline)[0]
        if inline + size <= len(data):
            tags.setdefault(tag, struct.unpack_from(order + _SIZES[kind], data, inline)[0])
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise BadHeader("it names no size")
    width = max(tags[_WIDTH], tags.get(_TILE_WIDTH, 0))
    height = max(tags[_HEIGHT], tags.get(_TILE_HEIGHT, 0))
    stored = -(-tags.get(_BITS, 1) * tags.get(_SAMPLES, 1) // 8)
    # A strip may be the whole picture; it is held beside the result.
    return PictureSize(width, height, 4 + 2 * max(4, stored))

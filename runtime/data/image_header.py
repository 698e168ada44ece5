"""What a picture file says about itself: its size, and what decoding it will take.

Only headers are read, of every format that OpenCV decodes. A format that is not known here
has no size (OpenCV's own limit is what holds then, see ``image_codec``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from .jpeg_header import jpeg_header
from .picture_size import BadHeader, PictureSize
from .png_header import png_header
from .tiff_header import tiff_header

_AVIF_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)
_NUMBERS = re.compile(rb"(?:\s|#[^\n]*\n)*(\d{1,18})")
_HDR_SIZE = re.compile(rb"^[-+][XY] (\d{1,18}) [-+][XY] (\d{1,18})", re.MULTILINE)


def picture_size(data: bytes | memoryview) -> PictureSize | None:
    """The size in a picture's header; None where the format is unknown.

    Raises BadHeader: the header contradicts itself, or claims more than the file has.
    """
    view = memoryview(data)
    head = bytes(view[:32])
    for magic, reader in _READERS:
        if magic.match(head):
            try:
                return reader(view)
            except (struct.error, IndexError):
                raise BadHeader("its header is cut off") from None
    return None


def _bmp(data: memoryview) -> PictureSize:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return PictureSize(abs(width), abs(height), 4)


def _gif(data: memoryview) -> PictureSize:
    """The screen, or the first picture on it where that is larger."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while place < len(data) and data[place] == 0x21:  # extensions
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    if place + 9 <= len(data) and data[place] == 0x2C:
        left, top, inner_width, inner_height = struct.unpack_from("<HHHH", data, place + 1)
        width, height = max(width, left + inner_width), max(height, top + inner_height)
    return PictureSize(width, height, 8)


def _webp(data: memoryview) -> PictureSize:
    kind = bytes(data[12:16])
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return PictureSize(width & 0x3FFF, height & 0x3FFF, 6)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return PictureSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 8)
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    return PictureSize(width, height, 12)


def _jpeg_2000(data: memoryview) -> PictureSize:
    """The SIZ segment of the codestream, wherever the boxes put it."""
    place = bytes(data[: 1 << 16]).find(b"\xff\x4f\xff\x51")
    if place < 0:
        raise BadHeader("it has no JPEG 2000 codestream")
    right, bottom, left, top = struct.unpack_from(">IIII", data, place + 8)
    (components,) = struct.unpack_from(">H", data, place + 40)
    # Components are decoded into 32-bit numbers.
    return PictureSize(max(0, right - left), max(0, bottom - top), 4 * components + 4)


def _avif(data: memoryview) -> PictureSize | None:
    sizes = [struct.unpack(">II", found) for found in _AVIF_SIZE.findall(bytes(data[: 1 << 16]))]
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return PictureSize(width, height, 8)


def _portable(data: memoryview) -> PictureSize:
    """PBM, PGM and PPM: numbers with comments between them."""
    head = bytes(data[:4096])
    first = _NUMBERS.match(head, 2)
    second = _NUMBERS.match(head, first.end()) if first else None
    if first is None or second is None:
        raise BadHeader("its header names no size")
    return PictureSize(int(first[1]), int(second[1]), 8)


def _portable_any(data: memoryview) -> PictureSize:
    """PAM: a line for each size."""
    head = bytes(data[:4096])
    found = dict(re.findall(rb"^(WIDTH|HEIGHT|DEPTH) +(\d{1,18})", head, re.MULTILINE))
    if len(found) < 3:
        raise BadHeader("its header names no size")
    depth = int(found[b"DEPTH"])
    return PictureSize(int(found[b"WIDTH"]), int(found[b"HEIGHT"]), 4 * max(1, depth))


def _portable_float(data: memoryview) -> PictureSize:
    size = _portable(data)
    return PictureSize(size.width, size.height, 16)


def _radiance(data: memoryview) -> PictureSize:
    found = _HDR_SIZE.search(bytes(data[:4096]))
    if found is None:
        raise BadHeader("its header names no size")
    return PictureSize(int(found[2]), int(found[1]), 16)


def _sun_raster(data: memoryview) -> PictureSize:
    width, height = struct.unpack_from(">II", data, 4)
    return PictureSize(width, height, 4)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[memoryview], PictureSize | None]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), png_header),
    (re.compile(rb"\xff\xd8\xff"), jpeg_header),
    (re.compile(rb"BM"), _bmp),
    (re.compile(rb"GIF8[79]a"), _gif),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), tiff_header),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), _jpeg_2000),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), _avif),
    (re.compile(rb"P[1-6]\s"), _portable),
    (re.compile(rb"P7\s"), _portable_any),
    (re.compile(rb"P[Ff]\s"), _portable_float),
    (re.compile(rb"#\?RADIANCE|#\?RGBE"), _radiance),
    (re.compile(rb"\x59\xa6\x6a\x95"), _sun_raster),
)

"""Pictures of every kind, lists of them, and window files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from random import Random

import cv2
import numpy as np

from runtime.data.config import TransformConfig
from runtime.data.image_codec import ImageError, decode_image
from runtime.data.opening import open_source
from runtime.data.picture_file import load_image
from runtime.data.sources.image_data import ImageDataConfig
from runtime.data.sources.window_data import WindowDataConfig

from ..inputs import Sample, one_file
from ..targets import Target, register

_ENDINGS = (
    "png",
    "jpg",
    "bmp",
    "ppm",
    "pgm",
    "tiff",
    "webp",
    "jp2",
    "sr",
    "pbm",
    "gif",
    "avif",
)


def _picture(ending: str, channels: int = 3) -> bytes:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (12, 14, channels), np.uint8)
    if ending in ("pgm", "pbm"):
        pixels = pixels[..., :1]
    done, data = cv2.imencode(f".{ending}", pixels)
    return data.tobytes() if done else b""


def _pictures(room: Path) -> list[Sample]:
    samples = []
    for ending in _ENDINGS:
        try:
            data = _picture(ending)
            decode_image(data, "color")
        except (cv2.error, ImageError):
            continue  # this build of OpenCV cannot
        samples.append(one_file(f"a.{ending}", data))
    samples.append(one_file("a.png", _picture("png", 4)))
    return samples


def _decode(path: Path) -> object:
    for color in ("color", "gray", "native"):
        decode_image(path.read_bytes(), color)  # type: ignore[arg-type]
    load_image(str(path))
    return None


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def _odd_png(rng: Random, room: Path) -> Sample:
    """Right checksums around a header that claims anything."""
    side = (1, 2, 14, 1000, 30_000, 65_535, 2**20, 2**31 - 1, 0)
    header = struct.pack(">IIBBBBB", rng.choice(side), rng.choice(side), rng.choice((1, 8, 16, 3)),
                         rng.choice((0, 2, 3, 4, 6, 1)), 0, 0, rng.choice((0, 0, 1)))  # fmt: skip
    body = zlib.compress(bytes(rng.choice((0, 100, 100_000))))
    data = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )
    return one_file("a.png", data)


def _lists(room: Path) -> list[Sample]:
    pictures = {f"{i}.png": _picture("png") for i in range(3)}
    text = b"0.png 0\n1.png 1\n2.png 2\n"
    return [Sample({"list.txt": text, **pictures}, "list.txt", ("list.txt",))]


def _read_list(path: Path) -> object:
    source = open_source(ImageDataConfig(source="list.txt", batch_size=2), "TRAIN", 1, path.parent)
    try:
        for _ in range(3):
            source.next()
    finally:
        source.close()
    return None


def _windows(room: Path) -> list[Sample]:
    text = "".join(
        f"# {i}\n{i}.png\n3\n12\n14\n3\n{i + 1} 0.9 1 2 9 10\n0 0.1 3 3 13 11\n2 0.5 0 0 5 5\n"
        for i in range(2)
    )
    pictures = {f"{i}.png": _picture("png") for i in range(2)}
    return [Sample({"w.txt": text.encode(), **pictures}, "w.txt", ("w.txt",))]


def _read_windows(path: Path) -> object:
    config = WindowDataConfig(
        source="w.txt", batch_size=4, context_pad=1, transform=TransformConfig(crop_size=8)
    )
    source = open_source(config, "TRAIN", 1, path.parent)
    try:
        source.next()
    finally:
        source.close()
    return None


register(
    Target(
        "pictures",
        _pictures,
        _decode,
        "bytes",
        odd=_odd_png,
        clean=(ImageError,),
        known=("hostile/b44.png",),
    )
)
register(Target("picture list", _lists, _read_list, "text"))
register(Target("window file", _windows, _read_windows, "text", known=("hostile/windows.txt",)))

"""Messages between the compiler and its workers: a JSON object and byte strings.

A frame is the length of the JSON text (4 bytes, big-endian), the text, and then the byte
strings, whose lengths stand in the text under ``blobs``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

LONGEST_TEXT = 64 << 20
LONGEST_BLOB = 1 << 30


class FrameError(Exception):
    """The stream does not hold a whole frame: the other side ended or wrote something else."""


def write_frame(stream: BinaryIO, message: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    text = json.dumps({**message, "blobs": [len(blob) for blob in blobs]}).encode()
    stream.write(struct.pack(">I", len(text)) + text + b"".join(blobs))
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next message, or None where the stream ends between two.

    Raises :class:`FrameError` when it ends or breaks elsewhere.
    """
    prefix = stream.read(4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise FrameError("the stream ends inside a frame")
    (length,) = struct.unpack(">I", prefix)
    if length > LONGEST_TEXT:
        raise FrameError(f"a frame says it has {length} bytes of text")
    try:
        message = json.loads(_exactly(stream, length))
    except ValueError as error:
        raise FrameError(f"a frame is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise FrameError("a frame is not a JSON object")
    sizes = message.pop("blobs", None)
    if not isinstance(sizes, list) or not all(
        type(size) is int and 0 <= size <= LONGEST_BLOB for size in sizes
    ):
        raise FrameError(f"a frame says its blobs are {sizes}")
    return message, [_exactly(stream, size) for size in sizes]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise FrameError("the stream ends inside a frame")
    return data

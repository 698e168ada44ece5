"""The protocol between compiler and workers."""

from __future__ import annotations

import io
import struct

import pytest

from compiler.triton.compile.frames import FrameError, read_frame, write_frame


def frame_bytes() -> bytes:
    stream = io.BytesIO()
    write_frame(stream, {"entry": "k", "n": 3}, [b"\x00cubin", b""])
    return stream.getvalue()


def test_round_trip() -> None:
    stream = io.BytesIO(frame_bytes() * 2)
    for _ in range(2):
        assert read_frame(stream) == ({"entry": "k", "n": 3}, [b"\x00cubin", b""])
    assert read_frame(stream) is None


def test_every_truncation_is_an_error() -> None:
    data = frame_bytes()
    for length in range(1, len(data)):
        with pytest.raises(FrameError, match="ends inside"):
            read_frame(io.BytesIO(data[:length]))


def framed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xff\xff\xff", "bytes of text"),
        (framed(b"{not json"), "not JSON"),
        (framed(b"[1]"), "not a JSON object"),
        (framed(b"{}"), "blobs are None"),
        (framed(b'{"blobs": [-1]}'), "blobs are"),
        (framed(b'{"blobs": [9999999999999]}'), "blobs are"),
        (framed(b'{"blobs": [true]}'), "blobs are"),
        (framed(b"\xff\xfe"), "not JSON"),
    ],
)
def test_other_bytes_are_an_error(data: bytes, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        read_frame(io.BytesIO(data))

"""The way of the host's memory to the device.

From pinned memory the device copies by itself. All other memory the driver would copy first, while
nothing else is on its way; so it goes through two pinned chunks, of which the device reads one
while the host fills the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.cuda.driver import Device, Event, Stream
from runtime.cuda.driver.memory import is_pinned

CHUNK = 4 << 20
"""Bytes of a chunk: some tenths of a millisecond for the host to fill."""

SMALL = 64 << 10
"""Bytes that the driver takes over at once, without waiting for the device."""

_CHUNKS = 2


@dataclass(frozen=True, slots=True)
class _Chunk:
    room: np.ndarray  # pinned, uint8
    read: Event  # by the device, the last time


class Uploads:
    """Copies to one device, one at a time: whoever asks holds the device's turn."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._chunks: list[_Chunk] = []  # that which waits longest first

    def upload(self, stream: Stream, address: int, array: np.ndarray) -> None:
        """Queue a copy of a contiguous array, which may change afterwards unless it is pinned."""
        if array.nbytes <= SMALL or is_pinned(array, self._device.driver):
            stream.upload(address, array)
        else:
            self.convert(stream, address, array, array.dtype)

    def convert(self, stream: Stream, address: int, array: np.ndarray, dtype: np.dtype) -> None:
        """Queue a copy of a contiguous array's numbers as others of type ``dtype``. The array may
        change afterwards."""
        flat = array.reshape(-1)
        most = CHUNK // dtype.itemsize
        for start in range(0, flat.size, most):
            part = flat[start : start + most]
            chunk = self._free_chunk()
            room = chunk.room[: part.size * dtype.itemsize].view(dtype)
            np.copyto(room, part, casting="unsafe")
            stream.upload(address + start * dtype.itemsize, room)
            stream.record(chunk.read)

    def _free_chunk(self) -> _Chunk:
        """A chunk that the device reads no more."""
        if len(self._chunks) < _CHUNKS:
            memory = self._device.pinned(CHUNK)
            chunk = _Chunk(memory.array((CHUNK,), np.uint8), self._device.event())
        else:
            chunk = self._chunks.pop(0)
            chunk.read.synchronize()
        self._chunks.append(chunk)
        return chunk

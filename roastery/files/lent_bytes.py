"""The bytes of a file in memory of their own, given back bit by bit as they are used."""

from __future__ import annotations

import mmap
import os
from typing import BinaryIO

import numpy as np

_AT_ONCE = 4 << 20
"""Bytes that are copied before their pages are given back."""


class LentBytes:
    """What a file holds, or its first bytes. Large files of numbers are read through this: who
    copies them elsewhere, part by part, never needs memory for both.

    A copy of the file, no view: whatever happens to it, these bytes stay.

    Attributes:
        data: the bytes.
    """

    def __init__(self, file: BinaryIO, most: int | None = None) -> None:
        size = os.fstat(file.fileno()).st_size
        if most is not None:
            size = min(size, most)
        self._map = mmap.mmap(-1, max(size, 1))
        data, read = memoryview(self._map), 0
        while read < size:
            got = os.preadv(file.fileno(), [data[read : read + _AT_ONCE]], read)
            if not got:
                break  # it was cut off meanwhile
            read += got
        self.data = data[: min(read, size)]
        self._start = np.frombuffer(self._map, np.uint8).ctypes.data

    def move(self, values: np.ndarray, target: np.ndarray) -> None:
        """Copy an array to another one of its shape, both of consecutive elements. What lies in
        these bytes is gone afterwards."""
        source, to = (array.reshape(-1).view(np.uint8) for array in (values, target))
        first = source.ctypes.data - self._start
        given_back = 0
        for begin in range(0, source.size, _AT_ONCE):
            end = min(begin + _AT_ONCE, source.size)
            to[begin:end] = source[begin:end]
            if first >= 0 and first + source.size <= len(self._map):
                given_back = self._give_back(first + given_back, first + end) - first

    def _give_back(self, begin: int, end: int) -> int:
        """The pages that lie in a range of bytes; where the next range begins."""
        page = mmap.PAGESIZE
        start, stop = -(-begin // page) * page, end // page * page
        if start >= stop:
            return begin
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, start, stop - start)
        return stop

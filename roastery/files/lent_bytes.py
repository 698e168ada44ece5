"""The bytes of a file in memory of their own, given back bit by bit as they are used."""

from __future__ import annotations

import mmap
import os
import weakref
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ir.errors import RoasteryError

_AT_ONCE = 4 << 20
"""Bytes that are copied before their pages are given back."""


class LentBytes:
    """What a file holds, or its first bytes. Large files of numbers are read through this: who
    copies them elsewhere, part by part, never needs memory for both.

    A copy of the file, no view: whatever happens to it, these bytes stay.

    Args:
        name: of the file, for errors.

    Attributes:
        data: the bytes.
    """

    def __init__(self, file: BinaryIO, name: str, most: int | None = None) -> None:
        size = os.fstat(file.fileno()).st_size
        if most is not None:
            size = min(size, most)
        self._map = mmap.mmap(-1, max(size, 1))
        data = memoryview(self._map)
        self._file = _File(file, name)
        self.data = data[: self._file.read_into(data[:size], 0)]
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

    def part(self, values: np.ndarray) -> FilePart | None:
        """Where the file has the bytes of an array; None where these bytes are not its own."""
        first = values.ctypes.data - self._start
        inside = first >= 0 and first + values.nbytes <= len(self.data)
        return FilePart(self._file, first, values.nbytes) if inside else None

    def _give_back(self, begin: int, end: int) -> int:
        """The pages that lie in a range of bytes; where the next range begins."""
        page = mmap.PAGESIZE
        start, stop = -(-begin // page) * page, end // page * page
        if start >= stop:
            return begin
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, start, stop - start)
        return stop


class _File:
    """A file that stays open, so that whatever becomes of its name, its bytes can be read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._number)
        self._written = self._state()

    def read_into(self, target: memoryview, start: int) -> int:
        """Fill memory with what begins at a byte; returns how much there was."""
        read = 0
        while read < len(target):
            got = os.preadv(self._number, [target[read : read + _AT_ONCE]], start + read)
            if not got:
                break  # it was cut off meanwhile
            read += got
        return read

    @property
    def changed(self) -> bool:
        """Whether somebody has written into it."""
        return self._state() != self._written

    def _state(self) -> tuple[int, int]:
        state = os.fstat(self._number)
        return state.st_size, state.st_mtime_ns


@dataclass(frozen=True)
class FilePart:
    """Bytes of a file, to be read again. The file stays open as long as this is there."""

    file: _File
    start: int
    nbytes: int

    def read_into(self, target: np.ndarray) -> None:
        """Fill the first bytes of an array of bytes.

        Raises RoasteryError where somebody has written into the file since it was first read.
        """
        name, found = self.file.name, memoryview(target.data)[: self.nbytes]
        try:
            whole = not self.file.changed and self.file.read_into(found, self.start) == self.nbytes
        except OSError as error:
            raise RoasteryError(f"{name}: {error.strerror}") from None
        if not whole or self.file.changed:
            raise RoasteryError(
                f"{name} has changed since the net's parameters were read from it, and they were "
                "needed again",
                hint="compile the net anew; write to another file, and rename that",
            )

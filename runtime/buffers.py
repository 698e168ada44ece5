"""Memory that outlives a launch: tensors of blobs, parameters and state.

A buffer is a host side, and on CUDA a device side behind it (a :class:`Mirror`). Reading
``array`` brings the host side up to date and counts as writing to it, so ``.data`` and ``.diff``
are ordinary numpy arrays on any device, and nothing is copied that nobody asked for.
"""

from __future__ import annotations

import functools
import os
from typing import Protocol

import numpy as np

from ir.errors import RoasteryError
from ir.types import TensorType

PADDING = 16
"""Buffers hold a multiple of this many elements, so that pointwise kernels need no mask."""

_ALIGNMENT = 64


class Mirror(Protocol):
    """The device side of a memory block."""

    def to_host(self) -> None:
        """Make the host side current."""
        ...

    def host_written(self) -> None:
        """The host side may change from now on: views of it are in the user's hands."""
        ...


class Memory:
    """A zeroed, aligned block of host memory; ``mirror`` is its device side, if it has one."""

    __slots__ = ("mirror", "raw")

    def __init__(self, nbytes: int) -> None:
        """Raises RoasteryError where the machine cannot hold that much."""
        if nbytes > _physical_memory():
            raise RoasteryError(
                f"a tensor of {nbytes / 2**30:.1f} GiB is needed; this machine has "
                f"{_physical_memory() / 2**30:.1f} GiB of memory",
                hint="check the shapes, or use a smaller batch",
            )
        block = np.zeros(nbytes + _ALIGNMENT, np.uint8)
        start = -block.ctypes.data % _ALIGNMENT
        self.raw = block[start : start + nbytes]
        self.mirror: Mirror | None = None


@functools.cache
def _physical_memory() -> int:
    """Bytes; no limit where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 2**63


def padded_size(size: int) -> int:
    """Elements a buffer of ``size`` elements occupies."""
    return max(PADDING, -(-size // PADDING) * PADDING)


class Buffer:
    """A tensor in memory, padded; zeroed unless it is part of something.

    The numpy views stay the same objects for the buffer's life, so a view a user keeps is live.
    """

    __slots__ = ("_array", "_flat", "memory", "start", "type")

    def __init__(self, type: TensorType, memory: Memory | None = None, start: int = 0) -> None:
        """``start`` counts elements of ``type`` from the beginning of ``memory``."""
        count = padded_size(type.size)
        itemsize = type.dtype.itemsize
        if memory is None:
            memory = Memory(count * itemsize)
        self.type = type
        self.memory = memory
        self.start = start
        raw = memory.raw[start * itemsize : (start + count) * itemsize]
        self._flat = raw.view(type.dtype.numpy)
        self._array = self._flat[: type.size].reshape(type.shape)

    @property
    def array(self) -> np.ndarray:
        """The tensor, writable, in host memory."""
        if self.memory.mirror is not None:
            self.memory.mirror.to_host()
            self.memory.mirror.host_written()
        return self._array

    @property
    def flat(self) -> np.ndarray:
        """All of the memory, padding included, as :attr:`array`."""
        if self.memory.mirror is not None:
            self.memory.mirror.to_host()
            self.memory.mirror.host_written()
        return self._flat

    def peek(self) -> np.ndarray:
        """The tensor for reading only: the device side stays current."""
        if self.memory.mirror is not None:
            self.memory.mirror.to_host()
        view = self._array.view()
        view.flags.writeable = False
        return view

    @property
    def capacity(self) -> int:
        """Elements the buffer may hold."""
        return self._flat.size

    def view(self, type: TensorType) -> Buffer:
        """The same memory under another type of no more elements."""
        return Buffer(type, self.memory, self.start)

    def part(self, start: int, type: TensorType) -> Buffer:
        """A tensor inside this one, ``start`` elements (a multiple of PADDING) from its begin."""
        return Buffer(type, self.memory, self.start + start)


def host_bytes(nbytes: int) -> np.ndarray:
    """Zeroed, aligned uint8 memory."""
    return Memory(nbytes).raw

"""Memory that outlives a launch: tensors of blobs, parameters and state.

A buffer is a host side, and on CUDA a device side behind it (a :class:`DeviceCopy`). Reading
``array`` brings the host side up to date and counts as writing to it, so ``.data`` and ``.diff``
are ordinary numpy arrays on any device, and nothing is copied that nobody asked for.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ir.types import TensorType

from .origins import Origin, Origins, overlap
from .ranges import Range

PADDING = 16
"""Buffers hold a multiple of this many elements, so that pointwise kernels need no mask."""

_ALIGNMENT = 64

Reading = Callable[[], np.ndarray]
"""Gives what was in memory when it was made; waits for it where it is still being computed."""


class DeviceCopy(Protocol):
    """The device side of a memory block. Ranges are in bytes."""

    def to_host(self, start: int, nbytes: int) -> None:
        """Make a range of the host side current."""
        ...

    def host_written(self, start: int, nbytes: int) -> None:
        """A range of the host side may change from now on: the user has a view of it."""
        ...

    def fill(self, start: int, values: np.ndarray) -> None:
        """Copy a contiguous array in at ``start``. It may not change any more."""
        ...

    def put(self, start: int, values: np.ndarray, dtype: np.dtype) -> None:
        """Copy a contiguous array's numbers in at ``start``, as others of type ``dtype``. It may
        change afterwards."""
        ...

    def clear(self, start: int, nbytes: int) -> None:
        """Set a range to zero."""
        ...

    def read_later(self, start: int, nbytes: int) -> Reading:
        """The bytes of a range as they are after all work so far."""
        ...


class Memory:
    """A zeroed, aligned block of host memory.

    Attributes:
        device_copy: its twin on a GPU, if any.
        origins: of parts that can be had again, if any; else everything stays.
    """

    __slots__ = ("__weakref__", "_loans", "device_copy", "origins", "raw")

    def __init__(self, nbytes: int) -> None:
        block = np.zeros(nbytes + _ALIGNMENT, np.uint8)
        start = -block.ctypes.data % _ALIGNMENT
        self.raw = block[start : start + nbytes]
        self.device_copy: DeviceCopy | None = None
        self.origins: Origins | None = None
        self._loans: dict[Range, weakref.ref[np.ndarray]] = {}

    @classmethod
    def of(cls, array: np.ndarray) -> Memory:
        """That of a contiguous, aligned array: only for reading, where the array is."""
        memory = cls(0)
        memory.raw = array.reshape(-1).view(np.uint8)
        return memory

    def lend(self, start: int, nbytes: int, *, written: bool = True) -> np.ndarray:
        """A range, writable, as an array that every view taken of it keeps alive.

        ``written``: whether somebody may write to it.
        """
        if self.origins is None:
            return self._loan(start, nbytes)
        with self.origins.lock:
            self.origins.bring_back((start, start + nbytes), written=written)
            return self._loan(start, nbytes)

    def know(self, part: Range, origin: Origin) -> None:
        """What is in a range of bytes now could be read again."""
        self.origins = self.origins or Origins(self.raw)
        self.origins.know(part, origin)

    def give_back(self, part: Range) -> None:
        """Let the system have a range until somebody asks for it, if that is possible."""
        if self.origins is not None:
            with self.origins.lock:
                self.origins.give_back(part, self._is_lent)

    def _loan(self, start: int, nbytes: int) -> np.ndarray:
        key = start, start + nbytes
        loan = self._loans[key]() if key in self._loans else None
        if loan is None:
            # Over a memoryview: numpy lets every view of a view refer to this very array.
            loan = np.frombuffer(self.raw.data[start : start + nbytes], np.uint8)
            self._loans[key] = weakref.ref(loan)
        return loan

    def _is_lent(self, part: Range) -> bool:
        return any(overlap(k, part) and loan() is not None for k, loan in self._loans.items())

    def lent(self) -> list[Range]:
        """Ranges of which somebody holds a view, and so may write to at any time."""
        if self._loans:
            self._loans = {key: loan for key, loan in self._loans.items() if loan() is not None}
        return list(self._loans)


def padded_size(size: int) -> int:
    """Elements a buffer of ``size`` elements occupies."""
    return max(PADDING, -(-size // PADDING) * PADDING)


class Buffer:
    """A tensor in memory, padded; zeroed unless it is part of something.

    A view that a user keeps is live: it shows later results, and what is written to it counts.
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
        return self.flat[: self.type.size].reshape(self.type.shape)

    @property
    def flat(self) -> np.ndarray:
        """All of the memory, padding included, as :attr:`array`."""
        if self.memory.device_copy is not None:
            self.memory.device_copy.to_host(*self.span)
            self.memory.device_copy.host_written(*self.span)
        return self.memory.lend(*self.span).view(self.type.dtype.numpy)

    @property
    def read_flat(self) -> np.ndarray:
        """As :attr:`flat`, for who only reads."""
        if self.memory.origins is None:
            return self.flat
        return self.memory.lend(*self.span, written=False).view(self.type.dtype.numpy)

    def peek(self) -> np.ndarray:
        """The tensor for reading only: the device side stays current. Read it before the next
        run, which need not show here."""
        if self.memory.device_copy is not None:
            self.memory.device_copy.to_host(*self.span)
        view = self._present().view()
        view.flags.writeable = False
        return view

    def fill(self, values: np.ndarray) -> None:
        """Copy an array of this shape in: from pinned memory while a device computes.

        What is handed over may not change afterwards.
        """
        device_copy, type = self.memory.device_copy, self.type
        same = values.dtype == type.dtype.numpy and values.shape == type.shape
        if device_copy is not None and same and values.flags.c_contiguous and type.size:
            device_copy.fill(self.span[0], values)
        else:
            self.array[...] = values

    def put(self, values: np.ndarray) -> None:
        """Copy the numbers of an array of this shape in, which may change afterwards: while a
        device computes, without looking at what was there before."""
        device_copy, type = self.memory.device_copy, self.type
        plain = values.dtype.kind in "biuf" and values.shape == type.shape and type.size
        if device_copy is not None and plain:
            device_copy.put(self.span[0], np.ascontiguousarray(values), type.dtype.numpy)
        else:
            self.array[...] = values

    def clear(self) -> None:
        """Set everything to zero, padding included, wherever it is."""
        if self.memory.device_copy is not None:
            self.memory.device_copy.clear(*self.span)
        else:
            self.flat[...] = 0

    def clear_padding(self) -> None:
        """Set what lies behind the tensor to zero: pointwise kernels write there."""
        itemsize = self.type.dtype.itemsize
        start, nbytes = self.span
        used = self.type.size * itemsize
        if used == nbytes:
            return
        if self.memory.device_copy is not None:
            self.memory.device_copy.clear(start + used, nbytes - used)
        else:
            self.flat[self.type.size :] = 0

    def read_later(self) -> Reading:
        """What the tensor holds now, to be fetched later without holding up the device."""
        type = self.type
        nbytes = type.size * type.dtype.itemsize
        if self.memory.device_copy is None or not nbytes:
            kept = self._present().copy()
            return lambda: kept
        read = self.memory.device_copy.read_later(self.span[0], nbytes)
        return lambda: read().view(type.dtype.numpy).reshape(type.shape)

    def _present(self) -> np.ndarray:
        """The tensor as the host has it, which nobody gives back while it is looked at."""
        if self.memory.origins is None:
            return self._array
        return self.read_flat[: self.type.size].reshape(self.type.shape)

    @property
    def span(self) -> tuple[int, int]:
        """First byte in the memory, and how many bytes, padding included."""
        return self.start * self.type.dtype.itemsize, self._flat.nbytes

    @property
    def capacity(self) -> int:
        """Elements the buffer may hold."""
        return self._flat.size

    def know(self, origin: Origin) -> None:
        """What the tensor holds now could be read again."""
        start, nbytes = self.span
        self.memory.know((start, start + nbytes), origin)

    def give_back(self) -> None:
        """Let the system have the memory, if the tensor's content is known elsewhere and nobody
        holds a view. It is there again for whoever asks for it."""
        start, nbytes = self.span
        self.memory.give_back((start, start + nbytes))

    def has_room(self, type: TensorType) -> bool:
        """Whether the memory from here on could hold such a tensor."""
        room = self.memory.raw.nbytes // type.dtype.itemsize - self.start
        return padded_size(type.size) <= room and type.dtype is self.type.dtype

    def view(self, type: TensorType) -> Buffer:
        """The same memory under another type, which it has room for."""
        return self if type == self.type else Buffer(type, self.memory, self.start)

    def part(self, start: int, type: TensorType) -> Buffer:
        """A tensor inside this one, ``start`` elements (a multiple of PADDING) from its begin."""
        return Buffer(type, self.memory, self.start + start)


def side_by_side(types: Sequence[TensorType]) -> list[Buffer]:
    """Tensors of one element type in one memory: what is written to several of them goes to a
    device in one copy."""
    sizes = [padded_size(type.size) for type in types]
    whole = Buffer(TensorType((sum(sizes),), types[0].dtype))
    return [
        whole.part(start, type)
        for start, type in zip(itertools.accumulate(sizes, initial=0), types, strict=False)
    ]


def host_bytes(nbytes: int) -> np.ndarray:
    """Zeroed, aligned uint8 memory."""
    return Memory(nbytes).raw

"""The device side of a memory block, and which of the two sides is current where.

A byte has three states. Equal: nothing is copied. The host is ahead: it was written, or somebody
holds a view of it and may write at any time; the next run that reads the memory uploads it. The
device is ahead: a run wrote it; the next access downloads it, and nobody holds a view (else the
run itself has refreshed the host side, so that the view stays live). Parameters share a block:
who writes to one has that one copied.

What is put there goes by its size: a few bytes as arguments of a call, so that both sides are
equal at once; what is little with the next run; all else by stages, while kernels run.
"""

from __future__ import annotations

import weakref

import numpy as np

from ir.errors import RoasteryError
from runtime.memory.buffers import Buffer, Memory, Reading
from runtime.memory.ranges import Ranges

from .session import Session
from .staging import Staging
from .uploads import SMALL

_FEW = 16
"""Bytes that travel as arguments, a word each: rates, scales, numbers of passes."""


class CudaCopy:
    """The device side of ``memory``, in one allocation of its size.

    Raises RoasteryError when the device has not that much left.
    """

    def __init__(self, memory: Memory, session: Session) -> None:
        self.session = session
        self._memory = weakref.ref(memory)
        self._raw = memory.raw
        with session.turn:
            self._room = session.device.allocate(memory.raw.nbytes)
            session.compute.clear(self._room.address, memory.raw.nbytes)
        self._host_ahead = Ranges([(0, memory.raw.nbytes)])
        self._device_ahead = Ranges()
        self._staging: list[Staging] = []
        self._next = 0  # of the two stages

    @property
    def address(self) -> int:
        return self._room.address

    @property
    def nbytes(self) -> int:
        return self._raw.nbytes

    @property
    def state(self) -> str:
        """Of any byte: ``host ahead``, else ``device ahead``; ``equal`` where all are."""
        if self._host_ahead:
            return "host ahead"
        return "device ahead" if self._device_ahead else "equal"

    # --- what buffers ask -------------------------------------------------------------

    def to_host(self, start: int, nbytes: int) -> None:
        for a, b in self._device_ahead.inside(start, start + nbytes):
            self.session.download(self._raw[a:b], self.address + a)
            self._device_ahead.remove(a, b)

    def host_written(self, start: int, nbytes: int) -> None:
        self._host_ahead.add(start, start + nbytes)

    def fill(self, start: int, values: np.ndarray) -> None:
        self._fill(start, values, values.dtype, lasting=True)

    def put(self, start: int, values: np.ndarray, dtype: np.dtype) -> None:
        nbytes = values.size * dtype.itemsize
        if nbytes > SMALL:
            self._fill(start, values, dtype, lasting=False)
            return
        content = _bytes(values.astype(dtype, copy=False))
        few = nbytes <= _FEW and nbytes % 4 == 0 and self.session.compute.takes_words
        if few and not self._goes_later(start, nbytes):
            self._write_both(start, content)
        else:
            self._write_host(start, content)

    def _fill(self, start: int, values: np.ndarray, dtype: np.dtype, *, lasting: bool) -> None:
        nbytes = values.size * dtype.itemsize
        if self._lent_of(start, nbytes):
            self._write_host(start, _bytes(values.astype(dtype, copy=False)))
            return
        with self.session.turn:
            if not self._staging:
                self._staging = [Staging(self.session, self.nbytes) for _ in range(2)]
            self._staging[self._next].move(self.address + start, values, dtype, lasting=lasting)
            self._next = 1 - self._next
        self._written_on_device(start, nbytes)

    def clear(self, start: int, nbytes: int) -> None:
        if self._lent_of(start, nbytes):
            self._write_host(start, np.zeros(nbytes, np.uint8))
            return
        with self.session.turn:
            self.session.compute.clear(self.address + start, nbytes)
        self._written_on_device(start, nbytes)

    def read_later(self, start: int, nbytes: int) -> Reading:
        if self._host_ahead.inside(start, start + nbytes):
            self.to_host(start, nbytes)
            kept = self._raw[start : start + nbytes].copy()
            return lambda: kept
        return self.session.read_later(self.address + start, nbytes)

    # --- what runs ask ----------------------------------------------------------------

    def to_device(self) -> None:
        """Make the device side current."""
        if self._host_ahead:
            for a, b in self._host_ahead:
                self.session.upload(self.address + a, self._raw[a:b])
            self._host_ahead = self._lent()

    def device_written(self) -> bool:
        """A run has written here. True: the host side is being refreshed, so wait for it."""
        self._host_ahead = self._lent()
        self._device_ahead = Ranges([(0, self.nbytes)])
        for a, b in self._host_ahead:
            self.session.compute.download(self._raw[a:b], self.address + a)
            self._device_ahead.remove(a, b)
        return bool(self._host_ahead)

    def _lent(self) -> Ranges:
        memory = self._memory()
        return Ranges(memory.lent() if memory is not None else ())

    def _lent_of(self, start: int, nbytes: int) -> bool:
        """Whether somebody holds a view of a part of a range."""
        return bool(self._lent().inside(start, start + nbytes))

    def _goes_later(self, start: int, nbytes: int) -> bool:
        """Whether the next run uploads a part of a range anyway."""
        return bool(self._host_ahead.inside(start, start + nbytes)) or self._lent_of(start, nbytes)

    def _write_both(self, start: int, values: np.ndarray) -> None:
        """After all work so far."""
        with self.session.turn:
            self.session.compute.write(self.address + start, values.view(np.uint32).tolist())
        stop = start + values.nbytes
        self._raw[start:stop] = values
        self._device_ahead.remove(start, stop)

    def _write_host(self, start: int, values: np.ndarray) -> None:
        """A view that somebody keeps shows it, and the next run uploads it."""
        stop = start + values.nbytes
        self._raw[start:stop] = values
        self._device_ahead.remove(start, stop)
        self._host_ahead.add(start, stop)

    def _written_on_device(self, start: int, nbytes: int) -> None:
        self._host_ahead.remove(start, start + nbytes)
        self._device_ahead.add(start, start + nbytes)


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1).view(np.uint8)


def device_side(memory: Memory, session: Session) -> CudaCopy:
    """The device side of a memory, made when it is first asked for."""
    device_copy = memory.device_copy
    if device_copy is None:
        device_copy = memory.device_copy = CudaCopy(memory, session)
    if not isinstance(device_copy, CudaCopy) or device_copy.session is not session:
        raise RoasteryError(
            "a blob cannot be on two GPUs: one net uses it on another device",
            hint="nets that share parameters run on one device",
        )
    return device_copy


def covers(buffer: Buffer) -> bool:
    """Whether the buffer is all of its memory."""
    return buffer.span == (0, buffer.memory.raw.nbytes)

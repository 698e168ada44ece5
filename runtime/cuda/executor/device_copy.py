"""The device side of a memory block, and which of the two sides is current.

Three states. Equal: nothing is copied. The host is ahead: it was written, or somebody holds a
view of it and may write at any time; the next run that reads the memory uploads it. The device
is ahead: a run wrote it; the next access downloads it, and nobody holds a view (else the
run itself has refreshed the host side, so that the view stays live).
"""

from __future__ import annotations

import weakref

import numpy as np

from ir.errors import RoasteryError
from runtime.memory.buffers import Buffer, Memory, Reading

from .session import Session, Staging


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
        self._host_ahead = True
        self._device_ahead = False
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
        """``equal``, ``host ahead`` or ``device ahead``."""
        if self._host_ahead:
            return "host ahead"
        return "device ahead" if self._device_ahead else "equal"

    # --- what buffers ask -------------------------------------------------------------

    def to_host(self) -> None:
        if self._device_ahead:
            self.session.download(self._raw, self.address)
            self._device_ahead = False

    def host_written(self) -> None:
        self._host_ahead = True

    def fill(self, start: int, values: np.ndarray) -> None:
        if self._lent:  # a view that somebody keeps shows it, and is uploaded with the next run
            part = self._raw[start : start + values.nbytes]
            part[...] = values.reshape(-1).view(np.uint8)
            self._host_ahead = True
            return
        self._bring_rest(start, values.nbytes)
        with self.session.turn:
            if not self._staging:
                self._staging = [Staging(self.session, self.nbytes) for _ in range(2)]
            self._staging[self._next].move(self.address + start, values)
            self._next = 1 - self._next
        self._device_ahead = True

    def clear(self, start: int, nbytes: int) -> None:
        if self._lent:
            self._raw[start : start + nbytes] = 0
            self._host_ahead = True
            return
        self._bring_rest(start, nbytes)
        with self.session.turn:
            self.session.compute.clear(self.address + start, nbytes)
        self._device_ahead = True

    def read_later(self, start: int, nbytes: int) -> Reading:
        if self._host_ahead:
            kept = self._raw[start : start + nbytes].copy()
            return lambda: kept
        return self.session.read_later(self.address + start, nbytes)

    # --- what runs ask ----------------------------------------------------------------

    def to_device(self) -> None:
        """Make the device side current."""
        if self._host_ahead:
            self.session.upload(self.address, self._raw)
            self._host_ahead = self._lent

    def device_written(self) -> bool:
        """A run has written here. True: the host side is being refreshed, so wait for it."""
        if self._lent:
            self.session.compute.download(self._raw, self.address)
            self._host_ahead = True
            return True
        self._host_ahead = False
        self._device_ahead = True
        return False

    @property
    def _lent(self) -> bool:
        memory = self._memory()
        return memory is not None and memory.lent

    def _bring_rest(self, start: int, nbytes: int) -> None:
        """Before a part is written on the device: what is outside of it must be there."""
        if start or nbytes < self.nbytes:
            self.to_device()
        self._host_ahead = False


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

"""What everything that runs on one GPU shares: streams, the arena, small readings.

All work goes to one stream, in the order in which it is asked for; only the inputs that data
sources feed travel on a second one, while the first computes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

import numpy as np

from ir.errors import RoasteryError
from runtime.cuda.driver import CudaError, Device, DeviceBuffer, Event, PinnedBuffer, Stream
from runtime.data.array_pool import ArrayPool
from runtime.memory.buffers import Reading

from .uploads import Uploads

_LOGGER = logging.getLogger("roastery.cuda")
_SLOT = 256  # bytes of one small reading
_SLOTS = 64
_LARGE = 4  # larger readings of one size whose memory is kept


class DeviceFailure(RoasteryError):
    """The device gave up on work that was queued before; the process must start anew."""


class DeviceArena:
    """Memory for the values inside of graphs; one is enough for all that run in turns.

    ``generation`` changes whenever the address does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._memory: DeviceBuffer | None = None
        self.generation = 0

    @property
    def address(self) -> int:
        return self._memory.address if self._memory is not None else 0

    @property
    def nbytes(self) -> int:
        return self._memory.nbytes if self._memory is not None else 0

    def close(self) -> None:
        if self._memory is not None:
            self._session.synchronize()
            self._memory.close()
            self._memory = None

    def reserve(self, nbytes: int, user: str) -> None:
        """Have at least so many bytes. Raises RoasteryError, naming the user, for too many."""
        if nbytes <= self.nbytes:
            return
        self.close()
        self.generation += 1
        try:
            self._memory = self._session.device.allocate(nbytes)
        except RoasteryError as error:
            raise RoasteryError(
                f"the values inside of '{user}' do not fit: {error.message}", hint=error.hint
            ) from error
        # Kernels read whole padded buffers; what lies in the padding should be numbers.
        self._session.compute.clear(self._memory.address, nbytes)


class Turn:
    """``with turn:`` one thread at a time, with the device's context current in it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._device.activate()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class Session:
    """One GPU as executors use it, from any thread: whatever is queued takes its ``turn``.

    A stream is captured within one turn, so that nothing of another thread's gets into it.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.compute: Stream = device.stream()
        self.copies: Stream = device.stream()
        self.turn = Turn(device)
        self.uploads = Uploads(device)
        self._arenas: list[DeviceArena] = []
        self._depth = 0
        self._slots: list[np.ndarray] = []  # pinned, free
        self._slot_memory: list[PinnedBuffer] = []
        self._large = ArrayPool(
            _LARGE, lambda shape: device.pinned(4 * shape[0]).array(shape, np.float32)
        )
        self._told = False

    @contextlib.contextmanager
    def running(self) -> Iterator[DeviceArena]:
        """A graph's turn on the device, with the arena it may use until it is done.

        A graph that runs inside of another's host step (a net in a Python layer) gets another
        arena.
        """
        with self.turn:
            if self._depth == len(self._arenas):
                self._arenas.append(DeviceArena(self))
            arena = self._arenas[self._depth]
            self._depth += 1
            try:
                yield arena
            finally:
                self._depth -= 1

    def reserve(self, nbytes: int, user: str) -> None:
        """Let the arena that the next graph will get have so many bytes."""
        with self.running() as arena:
            arena.reserve(nbytes, user)

    def close(self) -> None:
        """Let go of the arenas; no graph runs any more."""
        with self.turn:
            while self._arenas:
                self._arenas.pop().close()

    def synchronize(self) -> None:
        """Wait until everything is done. Raises DeviceFailure for what went wrong on the way."""
        try:
            self.compute.synchronize()
        except CudaError as error:
            raise failure(error) from error

    def upload(self, address: int, array: np.ndarray) -> None:
        """Copy an array to the device after all work so far; it may change afterwards."""
        with self.turn:
            self.uploads.upload(self.compute, address, array)

    def download(self, array: np.ndarray, address: int) -> None:
        """Copy to the host after all work so far, and wait for it."""
        with self.turn:
            try:
                self.compute.download(array, address)
            except CudaError as error:
                raise failure(error) from error
            self.synchronize()

    def read_later(self, address: int, nbytes: int) -> Reading:
        """Queue a copy to the host; the result waits for it when it is called."""
        with self.turn:
            if nbytes > _SLOT:
                # Whole pages are pinned, which takes longer than to copy a few.
                large = self._large.allocate((-(-nbytes // 4),))
                return _Reading(self, address, large.view(np.uint8)[:nbytes], None)
            if not self._slots:
                page = self.device.pinned(_SLOT * _SLOTS)
                self._slot_memory.append(page)
                self._slots = [page.array((_SLOT,), np.uint8, i * _SLOT) for i in range(_SLOTS)]
            slot = self._slots.pop()
            return _Reading(self, address, slot[:nbytes], slot)

    def tell_of_spoiled_capture(self, error: CudaError) -> None:
        """Say, once, that launches run one by one although they could be captured."""
        if not self._told:
            self._told = True
            _LOGGER.warning(
                "%s: launches could not be captured and run one by one, which takes longer (%s); "
                "something else in this process uses CUDA meanwhile",
                self.device.properties.name,
                error,
            )

    def release_slot(self, slot: np.ndarray) -> None:
        self._slots.append(slot)


class _Reading:
    """A small download on its way. Its place is used again once it was read."""

    def __init__(
        self, session: Session, address: int, target: np.ndarray, slot: np.ndarray | None
    ) -> None:
        self._session = session
        self._target: np.ndarray | None = target
        self._slot = slot
        self._result: np.ndarray | None = None
        session.compute.download(target, address)
        self._done: Event = session.device.event()
        session.compute.record(self._done)

    def __call__(self) -> np.ndarray:
        if self._result is None:
            assert self._target is not None
            try:
                self._done.synchronize()
            except CudaError as error:
                raise failure(error) from error
            self._result, self._target = self._target.copy(), None
            if self._slot is not None:
                self._session.release_slot(self._slot)
        return self._result


def failure(error: CudaError, where: str = "") -> DeviceFailure:
    """What to tell of an error that shows up after the work that caused it."""
    return DeviceFailure(
        f"the GPU failed{f' in {where}' if where else ''}: {error}",
        hint="set ROASTERY_LAUNCH_BLOCKING=1 to learn which kernel it was, and report it",
    )

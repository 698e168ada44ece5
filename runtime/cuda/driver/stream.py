"""Queues of work on a device, marks in them, and work captured to be repeated."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Sequence
from ctypes import c_float, c_void_p

import numpy as np

from compiler.collector import collector_paused

from .libcuda import NOT_READY, CudaError, Driver
from .released import Released

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: does not wait for the default stream
_DISABLE_TIMING = 2  # CU_EVENT_DISABLE_TIMING
_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate meanwhile


class Event(Released):
    """A mark in a stream. ``timed``: the device notes when it is reached."""

    def __init__(self, driver: Driver, timed: bool = False) -> None:
        self._driver = driver
        self.handle = c_void_p()
        driver.cuEventCreate(ctypes.byref(self.handle), 0 if timed else _DISABLE_TIMING)

    def seconds_since(self, earlier: Event) -> float:
        """Between two timed marks, both reached; to half a microsecond."""
        milliseconds = c_float()
        self._driver.cuEventElapsedTime(ctypes.byref(milliseconds), earlier.handle, self.handle)
        return 1e-3 * milliseconds.value

    def synchronize(self) -> None:
        """Wait until the mark is reached."""
        self._driver.cuEventSynchronize(self.handle)

    @property
    def reached(self) -> bool:
        try:
            self._driver.cuEventQuery(self.handle)
        except CudaError as error:
            if error.code == NOT_READY:
                return False
            raise
        return True

    def close(self) -> None:
        if self.handle:
            driver, handle = self._driver, self.handle
            self.handle = c_void_p()
            driver.releases.add(lambda: driver.cuEventDestroy_v2(handle))


class CapturedGraph(Released):
    """Work captured from a stream: one launch repeats all of it, at the same addresses."""

    def __init__(self, driver: Driver, graph: c_void_p) -> None:
        self._driver = driver
        self._handle = c_void_p()
        try:
            driver.cuGraphInstantiateWithFlags(ctypes.byref(self._handle), graph, 0)
        finally:
            driver.cuGraphDestroy(graph)

    def launch(self, stream: Stream) -> None:
        self._driver.cuGraphLaunch(self._handle, stream.handle)

    def close(self) -> None:
        if self._handle:
            driver, handle = self._driver, self._handle
            self._handle = c_void_p()
            driver.releases.add(lambda: driver.cuGraphExecDestroy(handle))


class Stream(Released):
    """A queue of copies and launches that run in order.

    Copies from and to ordinary host memory are staged by the driver; with pinned memory
    they overlap with the host, and the array must stay untouched until the copy is done.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.handle = c_void_p()
        driver.cuStreamCreate(ctypes.byref(self.handle), _NON_BLOCKING)

    def upload(self, address: int, array: np.ndarray) -> None:
        """Copy a contiguous array to the device."""
        _require_contiguous(array)
        if array.nbytes:
            self.driver.cuMemcpyHtoDAsync_v2(address, array.ctypes.data, array.nbytes, self.handle)

    def download(self, array: np.ndarray, address: int) -> None:
        """Copy from the device into a contiguous, writable array."""
        _require_contiguous(array)
        if not array.flags.writeable:
            raise ValueError("the array to copy into is read-only")
        if array.nbytes:
            self.driver.cuMemcpyDtoHAsync_v2(array.ctypes.data, address, array.nbytes, self.handle)

    def copy(self, destination: int, source: int, nbytes: int) -> None:
        if nbytes:
            self.driver.cuMemcpyDtoDAsync_v2(destination, source, nbytes, self.handle)

    def clear(self, address: int, nbytes: int) -> None:
        """Set bytes to zero."""
        if nbytes:
            self.driver.cuMemsetD8Async(address, 0, nbytes, self.handle)

    @property
    def takes_words(self) -> bool:
        """Whether there is :meth:`write`."""
        return self.driver.has("cuMemsetD32Async")

    def write(self, address: int, words: Sequence[int]) -> None:
        """Set words of 32 bits. Each travels as an argument: nothing is copied."""
        for number, word in enumerate(words):
            self.driver.cuMemsetD32Async(address + 4 * number, word, 1, self.handle)

    def record(self, event: Event) -> None:
        self.driver.cuEventRecord(event.handle, self.handle)

    def wait(self, event: Event) -> None:
        """What is queued from now on waits for the mark in another stream."""
        self.driver.cuStreamWaitEvent(self.handle, event.handle, 0)

    def synchronize(self) -> None:
        """Wait until everything is done; errors of earlier launches are raised here."""
        self.driver.cuStreamSynchronize(self.handle)

    def capture(self, work: Callable[[], None]) -> CapturedGraph:
        """Run ``work``, which queues on this stream; nothing runs, all is kept.

        ``work`` may not allocate nor wait, and should have run once before: the driver
        loads code at its first use. When it raises, the capture is given up. Nothing looks for
        garbage meanwhile, and what is released waits: some of it the driver does not allow.
        """
        with collector_paused(), self.driver.releases.held():
            return CapturedGraph(self.driver, self._captured(work))

    def _captured(self, work: Callable[[], None]) -> c_void_p:
        self.driver.cuStreamBeginCapture_v2(self.handle, _THREAD_LOCAL)
        graph = c_void_p()
        try:
            work()
        except BaseException:
            with contextlib.suppress(CudaError):
                self.driver.cuStreamEndCapture(self.handle, ctypes.byref(graph))
                if graph:
                    self.driver.cuGraphDestroy(graph)
            raise
        self.driver.cuStreamEndCapture(self.handle, ctypes.byref(graph))
        return graph

    def close(self) -> None:
        if self.handle:
            driver, handle = self.driver, self.handle
            self.handle = c_void_p()
            driver.releases.add(lambda: driver.cuStreamDestroy_v2(handle))


def _require_contiguous(array: np.ndarray) -> None:
    if not array.flags.c_contiguous:
        raise ValueError("only contiguous arrays are copied")

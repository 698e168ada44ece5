"""Memory of the device, and memory of the host that the device can reach."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from .libcuda import Driver
from .released import Released


class DeviceBuffer(Released):
    """Bytes on the device; freed by :meth:`close` or when nothing refers to it."""

    def __init__(self, driver: Driver, address: int, nbytes: int) -> None:
        self._driver = driver
        self.address = address
        self.nbytes = nbytes

    def close(self) -> None:
        if self.address:
            address, self.address = self.address, 0
            driver = self._driver
            driver.releases.add(lambda: driver.cuMemFree_v2(address))


class PinnedBuffer(Released):
    """Page-locked bytes on the host; freed when neither it nor any array on it remains."""

    def __init__(self, driver: Driver, address: int, nbytes: int) -> None:
        self._driver = driver
        self.address = address
        self.nbytes = nbytes
        driver.pinned[address] = nbytes

    def array(
        self, shape: Sequence[int], dtype: np.dtype | type[np.generic], offset: int = 0
    ) -> np.ndarray:
        """A writable array on the memory, which it keeps alive."""
        kind = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if offset < 0 or offset + size > self.nbytes:
            raise ValueError(f"{size} bytes at {offset} are outside of {self.nbytes} pinned bytes")
        memory = (ctypes.c_char * max(size, 1)).from_address(self.address + offset)
        memory._owner = self  # type: ignore[attr-defined]
        return np.ndarray(tuple(shape), kind, buffer=memory)  # type: ignore[arg-type]

    def close(self) -> None:
        """Free it; no array on it may be used any more."""
        if self.address:
            address, self.address = self.address, 0
            driver = self._driver
            driver.pinned.pop(address, None)
            driver.releases.add(lambda: driver.cuMemFreeHost(address))


def is_pinned(array: np.ndarray, driver: Driver) -> bool:
    """Whether a contiguous array lies in memory that the device reads without staging."""
    first = array.ctypes.data
    last = first + array.nbytes
    return any(a <= first and last <= a + n for a, n in tuple(driver.pinned.items()))

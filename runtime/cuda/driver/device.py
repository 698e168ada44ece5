"""One GPU: what it is, and its primary context, which torch in the same process shares."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_size_t, c_uint64, c_void_p

from ir.errors import RoasteryError

from .libcuda import OUT_OF_MEMORY, CudaError, CudaUnavailable, Driver, cuda_driver
from .memory import DeviceBuffer, PinnedBuffer
from .module import Module
from .properties import ATTRIBUTES, DeviceProperties
from .stream import Event, Stream


def query_devices(driver: Driver | None = None) -> list[DeviceProperties]:
    """All GPUs of the machine, at least one. Raises :class:`CudaUnavailable`."""
    driver = driver or cuda_driver()
    return [query_device(driver, index) for index in range(driver.device_count())]


def query_device(driver: Driver, index: int) -> DeviceProperties:
    handle = c_int()
    driver.cuDeviceGet(ctypes.byref(handle), index)
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(name, len(name), handle)
    memory = c_size_t()
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    values = {}
    for key, number in ATTRIBUTES.items():
        value = c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(value), number, handle)
        values[key] = value.value
    return DeviceProperties(index, name.value.decode(errors="replace"), memory.value, values)


class Device:
    """A GPU whose primary context is held and current in the thread that made it.

    Other threads call :meth:`activate` first. Raises :class:`CudaUnavailable` without a
    driver and :class:`RoasteryError` for an index that does not exist.
    """

    def __init__(self, index: int = 0, driver: Driver | None = None) -> None:
        self.driver = driver or cuda_driver()
        count = self.driver.device_count()
        if not 0 <= index < count:
            raise RoasteryError(
                f"there is no CUDA device {index}; the driver finds {count}",
                hint=f"devices are numbered 0 to {count - 1}",
            )
        self.properties = query_device(self.driver, index)
        self._handle = c_int()
        self.driver.cuDeviceGet(ctypes.byref(self._handle), index)
        context = c_void_p()
        try:
            self.driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), self._handle)
        except CudaError as error:
            raise CudaUnavailable(f"CUDA device {index} cannot be used: {error}") from error
        self._context = context
        self.activate()

    def activate(self) -> None:
        """Make the context current in this thread."""
        self.driver.cuCtxSetCurrent(self._context)
        self.driver.releases.catch_up()

    def close(self) -> None:
        """Let go of the context. What was made from it must be closed before."""
        if self._context:
            self.driver.cuDevicePrimaryCtxRelease_v2(self._handle)
            self._context = c_void_p()

    def free_memory(self) -> tuple[int, int]:
        """Bytes that are free now, and all bytes."""
        free, total = c_size_t(), c_size_t()
        self.driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    def allocate(self, nbytes: int) -> DeviceBuffer:
        """Uninitialised device memory, aligned to 256 bytes.

        Raises :class:`RoasteryError` when the device has not that much left.
        """
        address = c_uint64()
        try:
            self.driver.cuMemAlloc_v2(ctypes.byref(address), max(nbytes, 1))
        except CudaError as error:
            if error.code != OUT_OF_MEMORY:
                raise
            free, total = self.free_memory()
            raise RoasteryError(
                f"{nbytes} bytes do not fit into the memory of {self.properties.name}: "
                f"{free} of {total} bytes are free",
                hint="a smaller batch_size takes less",
            ) from error
        return DeviceBuffer(self.driver, address.value, nbytes)

    def pinned(self, nbytes: int) -> PinnedBuffer:
        """Host memory that the device copies from and to without staging."""
        address = c_void_p()
        self.driver.cuMemHostAlloc(ctypes.byref(address), max(nbytes, 1), 0)
        return PinnedBuffer(self.driver, address.value or 0, nbytes)

    def stream(self) -> Stream:
        return Stream(self.driver)

    def event(self, timed: bool = False) -> Event:
        return Event(self.driver, timed)

    def load(self, image: bytes | str, name: str = "") -> Module:
        """A module from a cubin (bytes) or PTX (str), which the driver compiles now."""
        return Module(self.driver, image, name, self.properties)

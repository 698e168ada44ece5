"""Machine code on a device: modules from cubins or PTX, and their kernels."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_void_p

from ir.errors import RoasteryError

from .carveout import carveout
from .libcuda import CudaError, Driver
from .properties import DeviceProperties
from .released import Released

_ERROR_LOG, _ERROR_LOG_SIZE = 5, 6  # CU_JIT_ERROR_LOG_BUFFER, ..._SIZE_BYTES
_MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
_SHARED_CARVEOUT = 9  # CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT
_LOG_BYTES = 8192


class Module(Released):
    """Code loaded into the current context.

    Raises :class:`RoasteryError` with the driver's log when it refuses the image.
    """

    def __init__(
        self, driver: Driver, image: bytes | str, name: str, properties: DeviceProperties
    ) -> None:
        self._driver = driver
        self._properties = properties
        self.name = name
        self.handle = c_void_p()
        data = image.encode() + b"\0" if isinstance(image, str) else image
        log = ctypes.create_string_buffer(_LOG_BYTES)
        options = (c_int * 2)(_ERROR_LOG, _ERROR_LOG_SIZE)
        values = (c_void_p * 2)(ctypes.addressof(log), _LOG_BYTES)
        try:
            driver.cuModuleLoadDataEx(ctypes.byref(self.handle), c_char_p(data), 2, options, values)
        except CudaError as error:
            kind = "PTX" if isinstance(image, str) else "machine code"
            said = log.value.decode(errors="replace").strip()
            raise RoasteryError(
                f"the {kind} of kernel {name} does not load on {properties.name} "
                f"(sm_{properties.capability}): {said or error}",
                hint="it may be newer than the CUDA driver: update the driver",
            ) from error

    def function(
        self, entry: str, shared: int = 0, threads: int = 32, registers: int = 0
    ) -> Function:
        """A kernel that will be launched with ``shared`` bytes of shared memory per block.

        What uses shared memory is given room for as many blocks as can run at once, by ``threads``
        of a block and ``registers`` of a thread; what uses none takes what the driver finds best.
        """
        handle = c_void_p()
        self._driver.cuModuleGetFunction(ctypes.byref(handle), self.handle, entry.encode())
        most = self._properties.attributes["shared_memory_optin"]
        if shared > most:
            raise RoasteryError(
                f"kernel {self.name} needs {shared} bytes of shared memory per block, "
                f"{self._properties.name} has {most}"
            )
        if shared > self._properties.attributes["shared_memory"]:
            self._driver.cuFuncSetAttribute(handle, _MAX_DYNAMIC_SHARED, shared)
        if shared:
            percent = carveout(self._properties.attributes, shared, threads, registers)
            self._driver.cuFuncSetAttribute(handle, _SHARED_CARVEOUT, percent)
        return Function(self, handle, shared)

    def close(self) -> None:
        if self.handle:
            driver, handle = self._driver, self.handle
            self.handle = c_void_p()
            driver.releases.add(lambda: driver.cuModuleUnload(handle))


class Function:
    """A kernel of a module, which it keeps loaded."""

    def __init__(self, module: Module, handle: c_void_p, shared: int) -> None:
        self.module = module
        self.handle = handle
        self.shared = shared

"""The CUDA driver's library, with typed and checked functions.

Reference: NVIDIA's "CUDA Driver API". Functions that end in ``_v2`` are the current ones
of their name (the header maps the short name to them).
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_float, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

from ir.errors import RoasteryError

from .releases import Releases

_LIBRARY = "libcuda.so.1"
_ADDRESS = c_uint64  # CUdeviceptr
_HANDLE = c_void_p  # contexts, modules, streams, events, graphs
_OUT = POINTER(c_void_p)

PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "cuInit": (c_uint,),
    "cuDriverGetVersion": (POINTER(c_int),),
    "cuGetErrorName": (c_int, POINTER(c_char_p)),
    "cuGetErrorString": (c_int, POINTER(c_char_p)),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetName": (c_char_p, c_int, c_int),
    "cuDeviceTotalMem_v2": (POINTER(c_size_t), c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuDevicePrimaryCtxRetain": (_OUT, c_int),
    "cuDevicePrimaryCtxRelease_v2": (c_int,),
    "cuCtxSetCurrent": (_HANDLE,),
    "cuMemGetInfo_v2": (POINTER(c_size_t), POINTER(c_size_t)),
    "cuMemAlloc_v2": (POINTER(_ADDRESS), c_size_t),
    "cuMemFree_v2": (_ADDRESS,),
    "cuMemHostAlloc": (_OUT, c_size_t, c_uint),
    "cuMemFreeHost": (c_void_p,),
    "cuMemcpyHtoDAsync_v2": (_ADDRESS, c_void_p, c_size_t, _HANDLE),
    "cuMemcpyDtoHAsync_v2": (c_void_p, _ADDRESS, c_size_t, _HANDLE),
    "cuMemcpyDtoDAsync_v2": (_ADDRESS, _ADDRESS, c_size_t, _HANDLE),
    "cuMemsetD8Async": (_ADDRESS, c_ubyte, c_size_t, _HANDLE),
    "cuMemsetD32Async": (_ADDRESS, c_uint, c_size_t, _HANDLE),
    "cuStreamCreate": (_OUT, c_uint),
    "cuStreamDestroy_v2": (_HANDLE,),
    "cuStreamSynchronize": (_HANDLE,),
    "cuStreamWaitEvent": (_HANDLE, _HANDLE, c_uint),
    "cuStreamBeginCapture_v2": (_HANDLE, c_int),
    "cuStreamEndCapture": (_HANDLE, _OUT),
    "cuEventCreate": (_OUT, c_uint),
    "cuEventDestroy_v2": (_HANDLE,),
    "cuEventElapsedTime": (POINTER(c_float), _HANDLE, _HANDLE),
    "cuEventRecord": (_HANDLE, _HANDLE),
    "cuEventQuery": (_HANDLE,),
    "cuEventSynchronize": (_HANDLE,),
    "cuGraphInstantiateWithFlags": (_OUT, _HANDLE, c_uint64),
    "cuGraphLaunch": (_HANDLE, _HANDLE),
    "cuGraphExecDestroy": (_HANDLE,),
    "cuGraphDestroy": (_HANDLE,),
    "cuModuleLoadDataEx": (_OUT, c_char_p, c_uint, POINTER(c_int), POINTER(c_void_p)),
    "cuModuleGetFunction": (_OUT, _HANDLE, c_char_p),
    "cuModuleUnload": (_HANDLE,),
    "cuFuncSetAttribute": (_HANDLE, c_int, c_int),
    "cuLaunchKernelEx": (c_void_p, _HANDLE, POINTER(c_void_p), POINTER(c_void_p)),
    "cuLaunchKernel": (
        *(_HANDLE, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint),
        *(_HANDLE, POINTER(c_void_p), POINTER(c_void_p)),
    ),
}

QUICK = frozenset({
    "cuCtxSetCurrent", "cuEventCreate", "cuEventDestroy_v2", "cuEventQuery", "cuEventRecord",
    "cuLaunchKernel", "cuLaunchKernelEx", "cuMemcpyDtoDAsync_v2", "cuMemsetD8Async",
    "cuMemsetD32Async", "cuStreamBeginCapture_v2", "cuStreamWaitEvent",
})  # fmt: skip
"""Functions that only queue something. They keep the interpreter's lock: to let go of it hundreds
of times in a pass lets threads that read data hold up each launch."""

NOT_READY = 600  # CUDA_ERROR_NOT_READY
CAPTURE_ERRORS = range(900, 909)  # CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED to ..._WRONG_THREAD
OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
INVALID_CONTEXT = 201  # CUDA_ERROR_INVALID_CONTEXT


class CudaUnavailable(RoasteryError):
    """There is no CUDA driver, or it finds no device."""


class CudaError(RuntimeError):
    """The driver refused a call. ``code`` is its CUresult."""

    def __init__(self, function: str, code: int, name: str, text: str) -> None:
        super().__init__(f"{function}: {name} ({code}): {text}")
        self.function = function
        self.code = code


class Driver:
    """The library's functions as attributes; each raises :class:`CudaError` unless it succeeds.

    Args:
        library: something with the functions of :data:`PROTOTYPES`, such as a ctypes.CDLL.
        quick: the same for those of :data:`QUICK`, such as a ctypes.PyDLL; default: ``library``.

    Attributes:
        releases: through it everything is given back.
        pinned: bytes of the host's memory that the device can reach, by where they begin.
    """

    def __init__(self, library: Any, quick: Any = None) -> None:
        self._library = library
        self._quick = library if quick is None else quick
        self.releases = Releases(lambda error: getattr(error, "code", 0) == INVALID_CONTEXT)
        self.pinned: dict[int, int] = {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Called for the first use of each function; the checked function then stays."""
        if name not in PROTOTYPES:
            raise AttributeError(name)
        function = self.raw(name)

        def checked(*arguments: Any) -> None:
            code = function(*arguments)
            if code:
                raise CudaError(name, code, *self._describe(code))

        setattr(self, name, checked)
        return checked

    def raw(self, name: str) -> Callable[..., int]:
        """The function itself, which returns a CUresult.

        Raises :class:`CudaUnavailable` when the driver is too old to have it.
        """
        try:
            function = getattr(self._quick if name in QUICK else self._library, name)
        except AttributeError:
            raise CudaUnavailable(
                f"the CUDA driver has no {name}", hint="update it to CUDA 11.4 (R470) or newer"
            ) from None
        function.argtypes = PROTOTYPES[name]
        function.restype = c_int
        return function

    def has(self, name: str) -> bool:
        """Whether the library has a function that something else could stand in for."""
        return hasattr(self._quick if name in QUICK else self._library, name)

    def _describe(self, code: int) -> tuple[str, str]:
        found = []
        for function in ("cuGetErrorName", "cuGetErrorString"):
            text = c_char_p()
            failed = self.raw(function)(code, ctypes.byref(text))
            known = text.value is not None and not failed
            found.append(text.value.decode(errors="replace") if known and text.value else "unknown")
        return found[0], found[1]

    @property
    def version(self) -> tuple[int, int]:
        """The CUDA version that the driver supports: (12, 4)."""
        number = c_int()
        self.cuDriverGetVersion(ctypes.byref(number))
        return number.value // 1000, number.value % 1000 // 10

    def device_count(self) -> int:
        count = c_int()
        self.cuDeviceGetCount(ctypes.byref(count))
        return count.value


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether CUDA can be used; ``reason`` says why not. True in a condition when it can."""

    ok: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok


@functools.cache
def cuda_driver() -> Driver:
    """The machine's driver, initialised. Raises :class:`CudaUnavailable`, saying why."""
    try:
        driver = Driver(ctypes.CDLL(_LIBRARY), ctypes.PyDLL(_LIBRARY))
    except OSError:
        raise CudaUnavailable(
            f"no CUDA device: the driver's library {_LIBRARY} is not on this machine"
        ) from None
    return initialised(driver)


def initialised(driver: Driver) -> Driver:
    """The driver, ready and with at least one device; else :class:`CudaUnavailable`."""
    try:
        driver.cuInit(0)
        count = driver.device_count()
    except CudaError as error:
        raise CudaUnavailable(f"no CUDA device: the driver says: {error}") from error
    if count == 0:
        raise CudaUnavailable("no CUDA device: the driver is there and finds none")
    return driver


def available() -> Availability:
    """Whether there is a usable GPU, and if not, why."""
    try:
        cuda_driver()
    except CudaUnavailable as error:
        return Availability(False, error.message)
    return Availability(True)

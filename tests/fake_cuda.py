"""A CUDA driver made of Python functions behind the C calling convention.

Device memory is the host's. Kernels are Python functions by entry name, which get the
values that were packed for them. What a real driver would not allow (an address outside of
every allocation, waiting while capturing, leaks at the end) is an error here, so that the
code that talks to the driver is tested where there is no GPU.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable, Sequence
from ctypes import CFUNCTYPE, c_char_p, c_float, c_int, c_int32, c_int64, c_uint64, c_void_p
from typing import Any

import numpy as np

from runtime.cuda.driver.launch_config import LaunchConfig
from runtime.cuda.driver.libcuda import PROTOTYPES, Driver, initialised
from runtime.cuda.driver.properties import ATTRIBUTES

INVALID, OOM, NOT_FOUND, BAD_IMAGE, BAD_CAPTURE, SPOILED = 1, 2, 500, 200, 900, 901
NO_CONTEXT = 201
_NAMES = {
    INVALID: (b"CUDA_ERROR_INVALID_VALUE", b"invalid argument"),
    OOM: (b"CUDA_ERROR_OUT_OF_MEMORY", b"out of memory"),
    BAD_IMAGE: (b"CUDA_ERROR_INVALID_IMAGE", b"device kernel image is invalid"),
    NOT_FOUND: (b"CUDA_ERROR_NOT_FOUND", b"named symbol not found"),
    BAD_CAPTURE: (b"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", b"not allowed while capturing"),
    SPOILED: (b"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", b"a previous error during capture"),
    NO_CONTEXT: (b"CUDA_ERROR_INVALID_CONTEXT", b"invalid device context"),
}
_READ = {"i32": c_int32, "i64": c_int64, "f32": c_float}
Body = Callable[..., None]


class FakeCuda:
    """The library: hand it to :class:`runtime.cuda.driver.Driver`, or take :meth:`driver`."""

    def __init__(self, capability: int = 90, devices: int = 1, memory: int = 1 << 24) -> None:
        self.capability = capability
        self.devices = devices
        self.memory = memory
        self.allocations: dict[int, ctypes.Array] = {}
        self.pinned: dict[int, ctypes.Array] = {}
        self.kernels: dict[str, tuple[Sequence[str], Body]] = {}  # by entry
        self.by_image: dict[bytes, tuple[Sequence[str], Body]] = {}  # by a cubin's first 8 bytes
        self.images: list[bytes] = []
        self.launches: list[tuple[str, tuple[int, int, int], int, int]] = []
        self.calls: list[str] = []  # names, in order
        self.early: list[str] = []  # entries of launches that may begin before others end
        self.version = 12040
        self.uploaded: list[int] = []  # bytes of each copy from the host
        self.pageable: list[int] = []  # of those from memory that is not pinned
        self.downloaded: list[int] = []
        self._numbers = itertools.count(1)
        self._functions: dict[int, tuple[str, Sequence[str], Body]] = {}
        self._modules: dict[int, bytes] = {}
        self._capture: list[Callable[[], None]] | None = None
        self._capturing = 0  # the thread
        self.spoiled = False  # the capture that is going on
        self.carveouts: list[int] = []  # percent, of each kernel that was given one
        self._contexts = threading.local()  # of threads
        self._graphs: dict[int, list[Callable[[], None]]] = {}
        self.live = 0  # handles made and not destroyed
        self.now = 0.0  # milliseconds that launches took, each as ``takes`` says
        self.takes: Callable[[str, tuple[int, int, int], int], float] = lambda *launch: 0.01
        self._marked: dict[int, float] = {}  # by event
        self._failure: Exception | None = None
        for name, types in PROTOTYPES.items():
            implementation = getattr(self, f"_{name}", None)
            if implementation is not None:
                # Output strings arrive as addresses: the fake writes to them.
                safe = [c_void_p if t is c_char_p else t for t in types]
                setattr(self, name, CFUNCTYPE(c_int, *safe)(self._guard(implementation)))

    def driver(self) -> Driver:
        return initialised(Driver(self))

    def array(self, address: int, shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
        """Device memory as an array; it must lie inside one allocation."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        for start, block in self.allocations.items():
            if start <= address and address + size <= start + len(block):
                view = (ctypes.c_char * max(size, 1)).from_buffer(block, address - start)
                return np.ndarray(shape, dtype, buffer=view)
        raise AssertionError(f"{size} bytes at {address:#x} are not inside of an allocation")

    def rest(self, address: int, dtype: Any) -> np.ndarray:
        """Device memory from an address to the end of its allocation."""
        for start, block in self.allocations.items():
            if start <= address < start + len(block):
                itemsize = np.dtype(dtype).itemsize
                return self.array(address, (start + len(block) - address) // itemsize, dtype)
        if address in {0, *(start + len(block) for start, block in self.allocations.items())}:
            return np.empty(0, dtype)  # of a tensor without elements
        raise AssertionError(f"{address:#x} is not inside of an allocation")

    def check(self) -> None:
        """Raise what went wrong inside of a call (exceptions cannot cross C)."""
        if self._failure is not None:
            raise self._failure

    def _guard(self, function: Callable[..., int | None]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.calls.append(function.__name__.removeprefix("_"))
            try:
                return function(*arguments) or 0
            except Exception as error:
                self._failure = error
                return INVALID

        return call

    def _handle(self, out: Any) -> int:
        number = next(self._numbers)
        out[0] = number
        self.live += 1
        return number

    def _queue(self, work: Callable[[], None]) -> int:
        if self._capture is None:
            work()
        elif self.spoiled:
            return SPOILED
        else:
            self._capture.append(work)
        return 0

    def _refused(self) -> bool:
        """Whether this thread is capturing: what was captured is lost by what it does now."""
        inside = self._capture is not None and threading.get_ident() == self._capturing
        self.spoiled |= inside
        return inside

    # --- the driver's functions -----------------------------------------------------------

    def _cuInit(self, flags: int) -> None:
        assert flags == 0

    def _cuDriverGetVersion(self, out: Any) -> None:
        out[0] = self.version

    def _cuGetErrorName(self, code: int, out: Any) -> None:
        out[0] = _NAMES[code][0]

    def _cuGetErrorString(self, code: int, out: Any) -> None:
        out[0] = _NAMES[code][1]

    def _cuDeviceGetCount(self, out: Any) -> None:
        out[0] = self.devices

    def _cuDeviceGet(self, out: Any, index: int) -> None:
        out[0] = index + 10

    def _cuDeviceGetName(self, out: int, size: int, device: int) -> None:
        text = f"Fake {device - 10}".encode() + b"\0"
        assert len(text) <= size
        ctypes.memmove(out, text, len(text))

    def _cuDeviceTotalMem_v2(self, out: Any, device: int) -> None:
        out[0] = self.memory

    def _cuDeviceGetAttribute(self, out: Any, number: int, device: int) -> None:
        values = {
            "major": self.capability // 10,
            "minor": self.capability % 10,
            "shared_memory": 48 << 10,
            "shared_memory_optin": 227 << 10,
            "shared_memory_of_multiprocessor": 228 << 10,
            "shared_memory_reserved": 1 << 10,
            "registers_of_multiprocessor": 64 << 10,
            "threads_of_multiprocessor": 2048,
            "blocks_of_multiprocessor": 32,
            "warp_size": 32,
            "multiprocessors": 4,
        }
        name = next(n for n, v in ATTRIBUTES.items() if v == number)
        out[0] = values.get(name, 1)

    def _cuDevicePrimaryCtxRetain(self, out: Any, device: int) -> None:
        self._handle(out)

    def _cuDevicePrimaryCtxRelease_v2(self, device: int) -> None:
        self.live -= 1

    def _cuCtxSetCurrent(self, context: int) -> None:
        assert context
        self._contexts.current = context

    def _alien(self) -> bool:
        """Whether this thread has no context."""
        return not getattr(self._contexts, "current", 0)

    def _used(self) -> int:
        return sum(len(block) for block in self.allocations.values())

    def _cuMemGetInfo_v2(self, free: Any, total: Any) -> None:
        free[0], total[0] = self.memory - self._used(), self.memory

    def _cuMemAlloc_v2(self, out: Any, size: int) -> int | None:
        if self._refused():
            return BAD_CAPTURE
        if self._alien():
            return NO_CONTEXT
        if size == 0:
            return INVALID
        if self._used() + size > self.memory:
            return OOM
        block = (ctypes.c_char * (size + 256))()
        start = -(-ctypes.addressof(block) // 256) * 256
        inner = (ctypes.c_char * size).from_buffer(block, start - ctypes.addressof(block))
        self.allocations[start] = inner
        out[0] = start
        return None

    def _cuMemFree_v2(self, address: int) -> int | None:
        if self._refused():
            return BAD_CAPTURE
        if self._alien():
            return NO_CONTEXT
        del self.allocations[address]
        return None

    def _cuMemHostAlloc(self, out: Any, size: int, flags: int) -> int | None:
        if self._refused():
            return BAD_CAPTURE
        block = (ctypes.c_char * size)()
        self.pinned[ctypes.addressof(block)] = block
        out[0] = ctypes.addressof(block)
        return None

    def _cuMemFreeHost(self, address: int) -> int | None:
        if self._refused():
            return BAD_CAPTURE
        if self._alien():
            return NO_CONTEXT
        del self.pinned[address]
        return None

    def _cuMemcpyHtoDAsync_v2(self, to: int, source: int, size: int, stream: int) -> int:
        target = self.array(to, size, np.uint8)
        self.uploaded.append(size)
        if not any(a <= source and source + size <= a + len(b) for a, b in self.pinned.items()):
            self.pageable.append(size)
        return self._queue(lambda: ctypes.memmove(target.ctypes.data, source, size) and None)

    def _cuMemcpyDtoHAsync_v2(self, to: int, source: int, size: int, stream: int) -> int:
        origin = self.array(source, size, np.uint8)
        self.downloaded.append(size)
        return self._queue(lambda: ctypes.memmove(to, origin.ctypes.data, size) and None)

    def _cuMemcpyDtoDAsync_v2(self, to: int, source: int, size: int, stream: int) -> int:
        target, origin = self.array(to, size, np.uint8), self.array(source, size, np.uint8)
        return self._queue(lambda: target.__setitem__(slice(None), origin))

    def _cuMemsetD8Async(self, to: int, value: int, size: int, stream: int) -> int:
        target = self.array(to, size, np.uint8)
        return self._queue(lambda: target.fill(value))

    def _cuMemsetD32Async(self, to: int, value: int, size: int, stream: int) -> int:
        target = self.array(to, size, np.uint32)
        return self._queue(lambda: target.fill(value))

    def _cuStreamCreate(self, out: Any, flags: int) -> None:
        self._handle(out)

    def _cuStreamDestroy_v2(self, stream: int) -> None:
        self.live -= 1

    def _cuStreamSynchronize(self, stream: int) -> int | None:
        return BAD_CAPTURE if self._refused() else None

    def _cuStreamWaitEvent(self, stream: int, event: int, flags: int) -> None:
        assert stream and event

    def _cuStreamBeginCapture_v2(self, stream: int, mode: int) -> None:
        assert self._capture is None and mode == 1
        self._capture, self._capturing, self.spoiled = [], threading.get_ident(), False

    def _cuStreamEndCapture(self, stream: int, out: Any) -> int | None:
        assert self._capture is not None
        captured, self._capture = self._capture, None
        if self.spoiled:
            return SPOILED
        self._graphs[self._handle(out)] = captured
        return None

    def _cuGraphInstantiateWithFlags(self, out: Any, graph: int, flags: int) -> None:
        self._graphs[self._handle(out)] = self._graphs[graph]

    def _cuGraphLaunch(self, graph: int, stream: int) -> None:
        for work in self._graphs[graph]:
            work()

    def _cuGraphDestroy(self, graph: int) -> None:
        del self._graphs[graph]
        self.live -= 1

    def _cuGraphExecDestroy(self, graph: int) -> int | None:
        return BAD_CAPTURE if self._refused() else self._cuGraphDestroy(graph)

    def _cuEventCreate(self, out: Any, flags: int) -> None:
        self._handle(out)

    def _cuEventDestroy_v2(self, event: int) -> None:
        self.live -= 1

    def _cuEventRecord(self, event: int, stream: int) -> None:
        assert event and stream
        self._marked[event] = self.now

    def _cuEventElapsedTime(self, out: Any, begin: int, end: int) -> None:
        out[0] = self._marked[end] - self._marked[begin]

    def _cuEventQuery(self, event: int) -> int:
        return 600

    def _cuEventSynchronize(self, event: int) -> None:
        assert event

    def _cuModuleLoadDataEx(
        self, out: Any, image: int, count: int, options: Any, values: Any
    ) -> int | None:
        assert (count, options[0], options[1]) == (2, 5, 6)
        start = ctypes.string_at(image, 4)
        if start == b"\x7fELF":
            self.images.append(start)
            start = ctypes.string_at(image, 8)
        else:
            text = ctypes.string_at(image)  # PTX ends with a zero byte
            if b".version" not in text:
                message = b"ptxas fatal: syntax error\0"
                assert len(message) <= values[1]
                ctypes.memmove(values[0], message, len(message))
                return BAD_IMAGE
            self.images.append(text)
        self._modules[self._handle(out)] = start
        return None

    def _cuModuleGetFunction(self, out: Any, module: int, name: int) -> int | None:
        entry = ctypes.string_at(name).decode()
        found = self.by_image.get(self._modules[module]) or self.kernels.get(entry)
        if found is None:
            return NOT_FOUND
        number = next(self._numbers)
        self._functions[number] = (entry, *found)
        out[0] = number
        return None

    def _cuModuleUnload(self, module: int) -> int | None:
        if self._refused():
            return BAD_CAPTURE
        if self._alien():
            return NO_CONTEXT
        self.live -= 1
        return None

    def _cuFuncSetAttribute(self, function: int, number: int, value: int) -> None:
        if number == 9:
            assert 0 < value <= 100
            self.carveouts.append(value)
        else:
            assert number == 8 and value > 48 << 10

    def _cuLaunchKernelEx(self, config: int, function: int, parameters: Any, extra: Any) -> int:
        asked = LaunchConfig.from_address(config)
        number, _, allowed = (c_int * 3).from_address(asked.attributes)
        assert (asked.count, number, allowed) == (1, 6, 1)
        self.early.append(self._functions[function][0])
        return self._cuLaunchKernel(
            function, *asked.grid, *asked.block, asked.shared, asked.stream, parameters, extra
        )

    def _cuLaunchKernel(
        self, function: int, x: int, y: int, z: int, a: int, b: int, c: int,
        shared: int, stream: int, parameters: Any, extra: Any,
    ) -> int:  # fmt: skip
        assert (b, c) == (1, 1) and a % 32 == 0 and stream
        entry, kinds, body = self._functions[function]
        values = []  # read now, as the driver copies parameters when a launch is queued
        for index, kind in enumerate(kinds):
            kind_type = _READ.get(kind, c_uint64)
            values.append(kind_type.from_address(parameters[index]).value)

        def run() -> None:
            self.launches.append((entry, (x, y, z), a, shared))
            self.now += self.takes(entry, (x, y, z), a)
            body((x, y, z), *values)

        return self._queue(run)

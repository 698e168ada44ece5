"""Launches compiled kernels on a GPU.

Everything is looked up and packed when a launch is bound; running it is one call of the
driver on the stream, which may be capturing.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence

from compiler.architecture import Architecture
from compiler.binary import Binary
from ir.errors import RoasteryError
from runtime.cuda.driver.device import Device
from runtime.cuda.driver.launch_config import LaunchConfig
from runtime.cuda.driver.module import Function
from runtime.cuda.driver.stream import Stream

from .packing import PackedArguments

_MOST_ROWS = 65535  # of a grid, in y and z


def runs_on(architecture: Architecture, device: int) -> bool:
    """Whether its cubins run on a device of sm_``device``: on later minor versions too."""
    capability = architecture.capability
    if not architecture.portable:
        return capability == device
    return capability // 10 == device // 10 and capability <= device


def choose_binary(candidates: Sequence[Binary], device: int) -> tuple[Binary, bytes | str]:
    """The best of one kernel's binaries for a device, and the image to load: cubin or PTX.

    The nearest cubin that runs there; else the PTX of the newest older one, which the driver
    compiles. Raises :class:`RoasteryError` when there is neither.
    """
    fitting = [b for b in candidates if runs_on(b.architecture, device)]
    if fitting:
        best = max(fitting, key=lambda b: b.architecture.capability)
        return best, best.cubin
    portable = [
        b
        for b in candidates
        if b.ptx and b.architecture.portable and b.architecture.capability < device
    ]
    if portable:
        best = max(portable, key=lambda b: b.architecture.capability)
        return best, best.ptx
    targets = ", ".join(str(b.architecture) for b in candidates) or "none"
    raise RoasteryError(
        f"there is no code for this GPU (sm_{device}); targets: {targets}",
        hint=f"compile for cuda:sm_{device}, or for cuda:sm_80, whose PTX newer GPUs take",
    )


class _Call:
    """One prepared call of the driver. ``held``: what the device reads through addresses."""

    __slots__ = ("_arguments", "_held", "_launch")

    def __init__(
        self, launch: Callable[..., None], arguments: tuple[object, ...], held: tuple[object, ...]
    ) -> None:
        self._launch = launch
        self._arguments = arguments
        self._held = held

    def __call__(self) -> None:
        self._launch(*self._arguments)


class KernelLoader:
    """Loads each binary once and prepares calls of it on one stream."""

    def __init__(self, device: Device, stream: Stream) -> None:
        self._device = device
        self._stream = stream
        self._functions: dict[tuple[str, bytes | str], Function] = {}
        self._launch = device.driver.cuLaunchKernel

    def prepare(
        self,
        binary: Binary,
        image: bytes | str,
        grid: tuple[int, int, int],
        values: Sequence[int | float],
        label: str,
    ) -> Callable[[], None]:
        """A function that queues the call. ``values``: addresses and numbers, in order."""
        if 0 in grid:
            return _nothing
        if max(grid[1:]) > _MOST_ROWS or grid[0] > 2**31 - 1 or min(grid) < 0:
            raise RoasteryError(f"kernel {label}: a grid of {grid} is larger than a GPU takes")
        function = self._function(binary, image, label)
        given = list(values)
        size, alignment = binary.scratch
        scratch = None
        if size:
            scratch = self._device.allocate(size * math.prod(grid) + alignment)
            given.append(-(-scratch.address // alignment) * alignment)
        try:
            packed = PackedArguments(binary.arguments, given)
        except ValueError as error:
            raise ValueError(f"kernel {label}: {error}") from error
        held = (packed, function, scratch)
        if binary.early:
            config = LaunchConfig(grid, binary.threads, function.shared, self._stream.handle)
            arguments = (ctypes.byref(config), function.handle, packed.pointers, None)
            launch = self._device.driver.cuLaunchKernelEx
            return _Call(launch, arguments, held=(*held, config))
        return _Call(
            self._launch,
            (
                *(function.handle, *grid, binary.threads, 1, 1, function.shared),
                *(self._stream.handle, packed.pointers, None),
            ),
            held=held,
        )

    def _function(self, binary: Binary, image: bytes | str, label: str) -> Function:
        key = (binary.entry, image)
        function = self._functions.get(key)
        if function is None:
            module = self._device.load(image, label)
            used = binary.resources
            function = module.function(binary.entry, used.shared, binary.threads, used.registers)
            self._functions[key] = function
        return function


def _nothing() -> None:
    """What an empty grid does."""

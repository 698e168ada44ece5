"""What a device can do at most: what the times of kernels are held against."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

import numpy as np

from compiler.c.support import support
from compiler.kernel import Config, Kernel, Parameter
from compiler.options import CompileOptions
from ir.types import F32

from .backend import Backend
from .host_launcher import HostLauncher


class Speed(Protocol):
    """Per second, of all processors together; 0 where it is not known."""

    @property
    def operations(self) -> float:
        """Of float32, a multiply-add counted as two."""
        ...

    def bytes_copied(self, nbytes: int) -> float:
        """Bytes read and written, where so many are read and written: what fits a cache is faster
        there."""
        ...


@runtime_checkable
class RatedBackend(Backend, Protocol):
    """An executor that knows what its device can do."""

    def speed(self, threads: int) -> Speed:
        """``threads``: that take part, on a CPU."""
        ...


def speed_of(backend: Backend, options: CompileOptions) -> Speed | None:
    """What graphs that are bound with these options can reach; None: nobody knows."""
    if not isinstance(backend, RatedBackend):
        return None
    return backend.speed(options.target.processors)


Launchers = Callable[[Iterable[Kernel]], HostLauncher]

_SUMS = 12  # of the C function
_ROUNDS = 50_000  # some tenths of a millisecond
_BEST_OF = 20
_LEAST, _MOST = 14, 28  # bits of a number of bytes that is copied
_AT_ONCE = 1 << 22  # bytes that are copied between two looks at the clock

_POINTER, _SIZE = Parameter("", "pointer", F32), Parameter("", "i64")


class MeasuredSpeed:
    """Of a CPU, by small C kernels that the same compiler makes; measured once, when asked for.

    Args:
        launchers: make kernels callable. lanes: of its vectors. threads: that take part.
    """

    def __init__(self, launchers: Launchers, lanes: int, threads: int) -> None:
        source = support("speed.h")
        self._products = Kernel("multiply_add_speed", source, (_POINTER, _SIZE))
        self._copy = Kernel("copy_speed", source, (_POINTER, _POINTER, _SIZE, _SIZE, _SIZE))
        self._launcher = functools.cache(lambda: launchers((self._products, self._copy)))
        self._lanes = lanes
        self._threads = threads
        self._copied: dict[int, float] = {}

    @functools.cached_property
    def operations(self) -> float:
        programs = 8 * self._threads
        numbers = np.full(max(1 << 16, programs * self._lanes), 0.5, np.float32)
        run = self._prepared(self._products, programs, numbers, _ROUNDS)
        return 2 * _SUMS * self._lanes * _ROUNDS * programs / _best(run)

    def bytes_copied(self, nbytes: int) -> float:
        bits = min(max(_LEAST, (nbytes - 1).bit_length()), _MOST)
        if bits not in self._copied:
            self._copied[bits] = self._measured(1 << (bits - 1))
        return self._copied[bits]

    def _measured(self, nbytes: int) -> float:
        """Bytes per second where so many are read, and as many are written."""
        source, target = np.ones(nbytes, np.uint8), np.zeros(nbytes, np.uint8)
        part = -(-nbytes // (4 * self._threads))
        parts, times = -(-nbytes // part), max(1, _AT_ONCE // nbytes)
        run = self._prepared(self._copy, parts * times, target, source, nbytes, part, times)
        return 2 * nbytes * times / _best(run)

    def _prepared(
        self, kernel: Kernel, programs: int, *given: np.ndarray | int
    ) -> Callable[[], None]:
        grid = (programs, 1, 1)
        return self._launcher().prepare(kernel, Config(()), grid, given, (0,), kernel.entry)


def _best(run: Callable[[], None]) -> float:
    """Seconds of a run that nothing else on the machine disturbs."""
    run()
    seconds = []
    for _ in range(_BEST_OF):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return max(min(seconds), 1e-9)

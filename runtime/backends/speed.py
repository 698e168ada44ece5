"""What a device can do at most: what the times of kernels are held against."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from compiler.c.support import support
from compiler.kernel import Config, Kernel, Parameter
from compiler.options import CompileOptions
from ir.expr import Expr
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

    def steps(self, value: Expr) -> int:
        """How many multiply-adds take as long as a scalar expression of float32 without its
        operands; 0 where that is not known."""
        ...

    def now(self) -> Speed:
        """The same, found again in this moment where it can be: clocks rise and fall."""
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
_BEST_NOW = 3
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
        self._multiply_add = Kernel("multiply_add_speed", source, (_POINTER, _SIZE))
        self._copy = Kernel("copy_speed", source, (_POINTER, _POINTER, _SIZE, _SIZE, _SIZE))
        self._launcher = functools.cache(lambda: launchers((self._multiply_add, self._copy)))
        self._lanes = lanes
        self._threads = threads
        self._measures: dict[int, _Measure] = {}

    @property
    def operations(self) -> float:
        return self.products.most

    def bytes_copied(self, nbytes: int) -> float:
        return self.copies(nbytes).most

    def steps(self, value: Expr) -> int:
        from compiler.c.steps import steps  # who takes no times needs none of how C is spelled

        return steps(value)

    def now(self) -> Speed:
        return _SpeedNow(self)

    @functools.cached_property
    def products(self) -> _Measure:
        """Of multiply-adds in registers."""
        programs = 8 * self._threads
        numbers = np.full(max(1 << 16, programs * self._lanes), 0.5, np.float32)
        run = self._prepared(self._multiply_add, programs, numbers, _ROUNDS)
        return _Measure(run, 2 * _SUMS * self._lanes * _ROUNDS * programs)

    def copies(self, nbytes: int) -> _Measure:
        """Of a copy that reads half as much as the next power of two, and writes as much."""
        size = 1 << (min(max(_LEAST, (nbytes - 1).bit_length()), _MOST) - 1)
        if size not in self._measures:
            source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
            part = -(-size // (4 * self._threads))
            parts, times = -(-size // part), max(1, _AT_ONCE // size)
            run = self._prepared(self._copy, parts * times, target, source, size, part, times)
            self._measures[size] = _Measure(run, 2 * size * times)
        return self._measures[size]

    def _prepared(
        self, kernel: Kernel, programs: int, *given: np.ndarray | int
    ) -> Callable[[], None]:
        grid = (programs, 1, 1)
        return self._launcher().prepare(kernel, Config(()), grid, given, (0,), kernel.entry)


@dataclass(frozen=True, slots=True)
class _SpeedNow:
    """See :meth:`Speed.now`: measured whenever it is asked for."""

    measured: MeasuredSpeed

    @property
    def operations(self) -> float:
        return self.measured.products.now()

    def bytes_copied(self, nbytes: int) -> float:
        return self.measured.copies(nbytes).now()

    def steps(self, value: Expr) -> int:
        return self.measured.steps(value)

    def now(self) -> Speed:
        return self


class _Measure:
    """What a run does in a second.

    Args:
        run: does ``amount`` of it.
    """

    def __init__(self, run: Callable[[], None], amount: float) -> None:
        self._run = run
        self._amount = amount
        run()

    @functools.cached_property
    def most(self) -> float:
        """When nothing else on the machine disturbs it."""
        return max(self._once() for _ in range(_BEST_OF))

    def now(self) -> float:
        """After a run that does not count: others had the caches."""
        self._run()
        return max(self._once() for _ in range(_BEST_NOW))

    def _once(self) -> float:
        began = time.perf_counter()
        self._run()
        return self._amount / max(time.perf_counter() - began, 1e-9)

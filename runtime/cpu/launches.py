"""Launches that run one after the other, as a table that C reads.

Python takes part once for many launches, and lets other threads of Python run meanwhile.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .pool import Pool

INTERFACE = 1
"""Raised when Python and machine code agree on something else: entries of tables, arguments of
kernels, the functions of the pool. Artifacts hold what was compiled before."""

_AT_ONCE = 1 << 30
"""Bytes of launches that run before Python looks for signals again: some tenths of a second."""


class CArgument(ctypes.Union):
    _fields_ = (
        ("pointer", ctypes.c_void_p),
        ("size", ctypes.c_int64),
        ("number", ctypes.c_float),
    )


class _Entry(ctypes.Structure):
    _fields_ = (
        ("function", ctypes.c_void_p),
        ("given", ctypes.c_void_p),
        ("programs", ctypes.c_int64),
        ("across", ctypes.c_int64),
        ("nbytes", ctypes.c_int64),
    )


@dataclass(frozen=True, slots=True)
class CLaunch:
    """One call of a C function. ``nbytes``: of all that it may look at; ``kept``: what has to stay
    as long as it may run."""

    function: int
    given: ctypes.Array[CArgument]
    programs: int
    across: int
    nbytes: int
    kept: Any = None


class LaunchTable:
    """Launches in order. Calling it runs them."""

    def __init__(self, launches: Sequence[CLaunch], pool: Pool, threads: int) -> None:
        self.launches = launches
        self._pool = pool
        self._threads = threads
        self._table = (_Entry * len(launches))(
            *(
                _Entry(
                    launch.function,
                    ctypes.addressof(launch.given),
                    launch.programs,
                    launch.across,
                    launch.nbytes,
                )
                for launch in launches
            )
        )
        self._parts = [
            (ctypes.byref(self._table, begin * ctypes.sizeof(_Entry)), end - begin)
            for begin, end in _parts(launches)
        ]

    def __call__(self) -> None:
        for start, count in self._parts:
            self._pool.run(start, count, self._threads)


def _parts(launches: Sequence[CLaunch]) -> Iterator[tuple[int, int]]:
    begin = nbytes = 0
    for number, launch in enumerate(launches, 1):
        nbytes += launch.nbytes
        if nbytes > _AT_ONCE or number == len(launches):
            yield begin, number
            begin, nbytes = number, 0

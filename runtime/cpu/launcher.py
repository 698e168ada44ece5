"""Calls C kernels on arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import numpy as np

from compiler.kernel import Config, Kernel

from ..backends.host_launcher import HostLauncher
from .launches import CArgument, CLaunch, LaunchTable
from .pool import COPIED, Pool


class Addresses(Protocol):
    """Where the functions of kernels are."""

    def __getitem__(self, kernel: Kernel) -> int: ...


class CLauncher(HostLauncher):
    """Of kernels whose code is there, with up to so many threads."""

    def __init__(self, code: Addresses, pool: Pool, threads: int) -> None:
        self._code = code
        self._pool = pool
        self._threads = threads

    def prepare(
        self,
        kernel: Kernel,
        config: Config,
        grid: tuple[int, int, int],
        arguments: Sequence[np.ndarray | int | float],
        written: Collection[int],
        name: str,
    ) -> LaunchTable:
        given = (CArgument * len(arguments))()
        nbytes = 0
        for slot, parameter, value in zip(given, kernel.parameters, arguments, strict=True):
            if isinstance(value, np.ndarray):
                slot.pointer = value.ctypes.data
                nbytes += value.nbytes
            else:
                setattr(slot, "number" if parameter.kind == "f32" else "size", value)
        function = self._code[kernel]
        return self._table(CLaunch(function, given, grid[0] * grid[1], grid[0], nbytes, arguments))

    def copy(self, source: np.ndarray, target: np.ndarray) -> LaunchTable:
        """All bytes of an array to another one."""
        given = (CArgument * 3)()
        given[0].pointer, given[1].pointer = target.ctypes.data, source.ctypes.data
        given[2].size = source.nbytes
        programs = -(-source.nbytes // COPIED)
        kept = source, target
        return self._table(
            CLaunch(self._pool.copy, given, programs, programs, 2 * source.nbytes, kept)
        )

    def joined(self, tables: Iterable[LaunchTable]) -> LaunchTable:
        """One after the other."""
        return self._table(*(launch for table in tables for launch in table.launches))

    def alone(self, launch: CLaunch) -> LaunchTable:
        """One of a table."""
        return self._table(launch)

    def _table(self, *launches: CLaunch) -> LaunchTable:
        return LaunchTable(launches, self._pool, self._threads)

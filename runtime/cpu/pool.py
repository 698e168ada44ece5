"""The threads that run kernels: those of ``compiler/c/support/shared_pool.c``."""

from __future__ import annotations

import ctypes
from typing import Any

from .shared_code import function_address

COPIED = 4096
"""Bytes that a program of :attr:`Pool.copy` copies."""


class Pool:
    """Attributes:
    copy: address of the function that copies ``given[2]`` bytes from ``given[1]`` to ``given[0]``.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self.copy = function_address(library, "copy_shared")
        self._run = library.run_shared
        self._run.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self._run.restype = None

    def run(self, launches: Any, count: int, threads: int) -> None:
        """So many entries of a table, with up to so many threads."""
        self._run(launches, count, threads)

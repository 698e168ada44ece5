"""The threads that run kernels: those of ``compiler/c/support/shared_pool.c``."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from compiler.c.compile.c_compiler import CCompiler
from compiler.c.compile.flags import compiler_flags
from compiler.c.compile.kernels import LibraryMaker
from compiler.c.compile.store import LibraryStore
from compiler.c.support import shared_pool_source
from compiler.instructions import UNKNOWN

from .code import function_address
from .shared_code import load_code

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


@functools.cache
def thread_pool(compiler: CCompiler) -> Pool:
    """The one of this process."""
    maker = LibraryMaker(compiler, compiler_flags(compiler, UNKNOWN.name), "", LibraryStore())
    made = [Pool(load_code(library.code)) for library in maker.libraries([shared_pool_source()])]
    return made[-1]

"""Functions of kernels in this process: each is compiled once, and loaded once."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Iterable, Mapping

from compiler.c.compile.c_compiler import CCompiler
from compiler.c.compile.flags import compiler_flags
from compiler.c.compile.kernels import LibraryMaker, Progress
from compiler.c.compile.shared_library import Library
from compiler.c.compile.store import LibraryStore
from compiler.c.support import prelude
from compiler.kernel import Kernel

from .shared_code import function_address, load_code


class KernelCode:
    """Of kernels on vectors of so many lanes, for CPUs of these instructions."""

    def __init__(
        self,
        compiler: CCompiler,
        instructions: str,
        lanes: int,
        store: LibraryStore | None = None,
        progress: Progress | None = None,
    ) -> None:
        flags = compiler_flags(compiler, instructions)
        self._maker = LibraryMaker(
            compiler, flags, prelude(lanes), store or LibraryStore(), progress
        )
        self._lock = threading.Lock()
        self._libraries: dict[str, ctypes.CDLL] = {}
        self._functions: dict[str, int] = {}

    def add(self, kernels: Iterable[Kernel]) -> None:
        """Compile what is not there yet, all at once. Raises CCompileError."""
        with self._lock:
            new = {k.entry: k.source for k in kernels if k.entry not in self._functions}
            keys = {entry: self._maker.key(source) for entry, source in new.items()}
            missing = [new[entry] for entry, key in keys.items() if key not in self._libraries]
            entries = {key: entry for entry, key in keys.items()}
            for library in self._maker.libraries(missing):
                self._take(library, entries)
            for entry, key in keys.items():
                self._functions[entry] = function_address(self._libraries[key], entry)

    def _take(self, library: Library, entries: Mapping[str, str]) -> None:
        """``entries``: names of the functions that are wanted, by kernels' keys."""
        loaded = load_code(library.code)
        for key in library.kernels:
            if key in entries:
                function_address(loaded, entries[key])
            self._libraries.setdefault(key, loaded)

    def __getitem__(self, kernel: Kernel) -> int:
        """Where the function is, of a kernel that was added."""
        return self._functions[kernel.entry]


@functools.cache
def kernel_code(
    compiler: CCompiler, instructions: str, lanes: int, progress: Progress | None
) -> KernelCode:
    """The one of this process."""
    return KernelCode(compiler, instructions, lanes, progress=progress)

"""The threads of this process, which the C compiler that is here made."""

from __future__ import annotations

import functools

from compiler.c.compile.c_compiler import CCompiler
from compiler.c.compile.flags import compiler_flags
from compiler.c.compile.kernels import LibraryMaker
from compiler.c.compile.store import LibraryStore
from compiler.c.support import shared_pool_source
from compiler.instructions import UNKNOWN

from .pool import Pool
from .shared_code import load_code


@functools.cache
def thread_pool(compiler: CCompiler) -> Pool:
    """The one of this process."""
    maker = LibraryMaker(compiler, compiler_flags(compiler, UNKNOWN.name), "", LibraryStore())
    made = [Pool(load_code(library.code)) for library in maker.libraries([shared_pool_source()])]
    return made[-1]

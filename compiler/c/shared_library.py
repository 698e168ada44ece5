"""Compiles C kernels: all that a graph needs as one shared library."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ir.errors import RoasteryError

from .support import prelude

FLAGS = (
    *("-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fwrapv"),
    *("-Wno-psabi", "-shared", "-fPIC"),
)


def c_compiler() -> str | None:
    """The one that ``CC`` names, else the first there is."""
    names = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    return next(filter(None, map(shutil.which, names)), None)


def compiled_library(sources: Iterable[str], lanes: int) -> ctypes.CDLL:
    """The functions of kernels on vectors of so many lanes, each once.

    Raises RoasteryError where no compiler makes them.
    """
    compiler = c_compiler()
    if compiler is None:
        raise RoasteryError("there is no C compiler", hint="install gcc or clang, or set CC")
    return _library("\n".join([prelude(lanes), *dict.fromkeys(sources)]), compiler)


@functools.cache
def _library(text: str, compiler: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(prefix="roastery-c-") as folder:
        source, library = Path(folder, "kernels.c"), Path(folder, "kernels.so")
        source.write_text(text, encoding="utf-8")
        command = [compiler, *FLAGS, "-o", str(library), str(source), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise RoasteryError(f"{compiler} fails on kernels", detail=done.stderr[:4000])
        return ctypes.CDLL(str(library))  # stays mapped

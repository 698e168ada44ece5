"""Kernels in C on the machine of the tests, by as many threads as a test asks for."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace

import pytest

from compiler.c.compile.c_compiler import CCompiler, find_compiler
from compiler.instructions import instructions_named
from compiler.kernel import Kernel
from compiler.target import Target
from runtime.cpu.backend import CpuBackend
from runtime.cpu.launcher import CLauncher
from runtime.machine.processor import cpu_target, having

_COMPILER = find_compiler()
COMPILED = isinstance(_COMPILER, CCompiler)
needs_compiler = pytest.mark.skipif(not COMPILED, reason="there is no C compiler")


def compiler() -> CCompiler:
    """The one there is."""
    assert isinstance(_COMPILER, CCompiler)
    return _COMPILER


def machine() -> Target:
    """The CPU that tests run on."""
    return cpu_target()


@functools.cache
def backend(instructions: str = "") -> CpuBackend:
    """The executor ``cpu``; of fewer instructions than the machine has where some are named."""
    target = machine()
    if instructions:
        target = having(target, instructions_named(instructions))
    return CpuBackend(compiler(), target=target)


def backends() -> list[CpuBackend]:
    """None where there is no compiler."""
    return [backend()] if COMPILED else []


def launcher_of(kernels: Iterable[Kernel], threads: int = 1, instructions: str = "") -> CLauncher:
    """What runs kernels, all compiled at once."""
    chosen = backend(instructions)
    return chosen.launcher(kernels, replace(chosen.target, processors=threads))

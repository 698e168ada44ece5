"""The executor of kernels that are printed as scalar C: for tests, no ``--device`` names it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from ctypes import c_float, c_int32, c_int64, c_void_p
from dataclasses import replace
from typing import Any

import numpy as np

from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Kernel
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from ir.graph import Graph
from runtime.backends.host_backend import HostBackend
from runtime.backends.host_launcher import HostLauncher
from runtime.machine.processor import cpu_target

from .lower import lower_to_c
from .shared_library import compiled_library

_NUMBERS: dict[str, Any] = {"i32": c_int32, "i64": c_int64, "f32": c_float}


class CLauncher(HostLauncher):
    """Of kernels that are one library."""

    def __init__(self, kernels: Iterable[Kernel]) -> None:
        self._library = compiled_library(kernel.source for kernel in kernels)

    def prepare(
        self,
        kernel: Kernel,
        config: Config,
        grid: tuple[int, int, int],
        arguments: Sequence[np.ndarray | int | float],
        written: Collection[int],
        name: str,
    ) -> Callable[[], None]:
        values = [
            a.ctypes.data_as(c_void_p) if isinstance(a, np.ndarray) else _NUMBERS[p.kind](a)
            for p, a in zip(kernel.parameters, arguments, strict=True)
        ]
        return functools.partial(self._library[kernel.entry], *values, (c_int64 * 3)(*grid))


class CBackend(HostBackend):
    """Needs a C compiler. Graphs are fused, unlike those that numpy runs."""

    name = "c"
    target = cpu_target()

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        if options.passes is None:
            options = replace(options, passes=(*default_passes(options.target), "fuse"))
        return GraphCompiler(graph, lower_to_c, options)

    def launcher(self, compiled: CompiledGraph) -> CLauncher:
        return CLauncher(compiled.kernels)

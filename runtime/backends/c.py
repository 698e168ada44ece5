"""The executor of kernels that are printed as scalar C: for tests, no ``--device`` names it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from ctypes import Union, c_float, c_int64, c_void_p
from dataclasses import replace

import numpy as np

from compiler.c.lower import lanes_of, lower_to_c, with_layout
from compiler.c.shared_library import compiled_library
from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Kernel
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from compiler.target import Target
from ir.graph import Graph

from ..machine.processor import cpu_target
from .host_graph import HostBackend
from .host_launcher import HostLauncher
from .speed import MeasuredSpeed


class _Argument(Union):
    _fields_ = (("pointer", c_void_p), ("size", c_int64), ("number", c_float))


class CLauncher(HostLauncher):
    """Of kernels that are one library."""

    def __init__(self, kernels: Iterable[Kernel], target: Target) -> None:
        self._library = compiled_library((k.source for k in kernels), lanes_of(target))

    def prepare(
        self,
        kernel: Kernel,
        config: Config,
        grid: tuple[int, int, int],
        arguments: Sequence[np.ndarray | int | float],
        written: Collection[int],
        name: str,
    ) -> Callable[[], None]:
        given = (_Argument * len(arguments))()
        for slot, parameter, value in zip(given, kernel.parameters, arguments, strict=True):
            if isinstance(value, np.ndarray):
                slot.pointer = value.ctypes.data
            else:
                setattr(slot, "number" if parameter.kind == "f32" else "size", value)
        numbers = map(c_int64, (0, grid[0] * grid[1], grid[0]))
        run = functools.partial(self._library[kernel.entry], given, *numbers)
        run.kept = arguments  # type: ignore[attr-defined]
        return run


class CBackend(HostBackend):
    """Needs a C compiler. Graphs are fused, unlike those that numpy runs."""

    name = "c"
    target = with_layout(cpu_target())

    def __init__(self) -> None:
        super().__init__()
        launchers = functools.partial(CLauncher, target=self.target)
        self._speed = MeasuredSpeed(launchers, lanes_of(self.target), 1)

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        if options.passes is None:
            options = replace(options, passes=(*default_passes(options.target), "fuse"))
        return GraphCompiler(graph, lower_to_c, options)

    def launcher(self, compiled: CompiledGraph) -> CLauncher:
        return CLauncher(compiled.kernels, self.target)

    def speed(self, threads: int) -> MeasuredSpeed:
        """One thread is all that it has."""
        return self._speed

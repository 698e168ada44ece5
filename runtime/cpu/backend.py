"""The executor ``cpu``: kernels in C, by all cores."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from compiler.c.compile.c_compiler import CCompiler
from compiler.c.compile.kernels import Progress
from compiler.c.lanes import lanes_of, with_layout
from compiler.collector import collector_paused
from compiler.kernel import Kernel
from compiler.options import CompileOptions
from compiler.plan_cache.cached_compiler import CachedCompiler
from compiler.plan_cache.plan_store import PlanStore
from compiler.target import Target
from ir.graph import Graph, PortKey

from ..backends.backend import Values
from ..backends.per_graph import PerGraph
from ..backends.speed import MeasuredSpeed
from ..machine.processor import cpu_target
from ..memory.buffers import Buffer
from .code import KernelCode, kernel_code
from .graph import CpuGraph
from .launcher import CLauncher
from .thread_pool import thread_pool

if TYPE_CHECKING:
    from compiler.pipeline import GraphCompiler


class CpuBackend:
    """As many threads run a graph as the target of its options has processors.

    Args:
        progress: told how many kernels are compiled, of how many.
        target: another one than this machine, of fewer instructions: for tests.
    """

    name = "cpu"

    def __init__(
        self,
        compiler: CCompiler,
        progress: Progress | None = None,
        target: Target | None = None,
    ) -> None:
        self.target = with_layout(target or cpu_target())
        self._c_compiler = compiler
        self._progress = progress
        self._plans = PlanStore()
        self._compiled = PerGraph(self._cached)
        self._speeds: dict[int, MeasuredSpeed] = {}

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> CpuGraph:
        """Raises CCompileError."""
        options = self._own(options)
        compiled = self._compiled(graph, options).at(values)
        launcher = self.launcher(compiled.kernels, options.target)
        return CpuGraph(compiled.plan, compiled.hosts, launcher, inputs, outputs)

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        # Many modules, which a graph whose plan is kept does without.
        from compiler.c.lower import deciding_sizes, lower_to_c
        from compiler.pipeline import GraphCompiler

        return GraphCompiler(graph, lower_to_c, options, deciding=deciding_sizes)

    def _cached(self, graph: Graph, options: CompileOptions) -> CachedCompiler:
        return CachedCompiler(graph, options, self.compiler, self._plans)

    def launcher(self, kernels: Iterable[Kernel], target: Target) -> CLauncher:
        """Compiles kernels, printed for a target, that are not there yet."""
        code = self._code(target)
        code.add(kernels)
        return CLauncher(code, thread_pool(self._c_compiler), target.processors)

    def speed(self, threads: int) -> MeasuredSpeed:
        """What so many threads can do at most."""
        if threads not in self._speeds:
            target = replace(self.target, processors=threads)
            launchers = functools.partial(self.launcher, target=target)
            self._speeds[threads] = MeasuredSpeed(launchers, lanes_of(target), threads)
        return self._speeds[threads]

    @collector_paused()
    def prepare(self, graphs: Iterable[tuple[Graph, Values]], options: CompileOptions) -> None:
        """Compile the kernels of several graphs, which will be bound later, all at once."""
        options = self._own(options)
        self._code(options.target).add(
            kernel
            for graph, values in graphs
            for kernel in self._compiled(graph, options).at(values).kernels
        )

    def _own(self, options: CompileOptions) -> CompileOptions:
        """Those for a GPU are meant for this CPU."""
        return options if options.target.kind == "cpu" else replace(options, target=self.target)

    def _code(self, target: Target) -> KernelCode:
        return kernel_code(self._c_compiler, target.instructions, lanes_of(target), self._progress)

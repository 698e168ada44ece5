"""Machine code for CPUs in an artifact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from compiler.c.compile.c_compiler import CCompiler
from compiler.c.compile.flags import compiler_flags
from compiler.c.compile.kernels import LibraryMaker, divided
from compiler.c.compile.store import LibraryStore
from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.c.support import prelude, shared_pool_source
from compiler.compiled import CompiledGraph
from compiler.kernel import Kernel
from compiler.partitions import frozen
from compiler.pipeline import GraphCompiler
from compiler.plan.plan import Plan
from compiler.target import Target
from ir.graph import Graph
from runtime.artifact.cpu_code import CpuCode, SharedLibrary

from ..devices.compile_options import CompileRequest, device_options
from .cpu_baselines import baseline_target, compiler_for, runs_here

Progress = Callable[[int, int], None]


def compiled_for_cpu(
    graph: Graph,
    values: Mapping[str, int],
    baseline: str,
    compiler: CCompiler,
    asked: CompileRequest,
    progress: Progress | None = None,
) -> tuple[CpuCode, Graph] | None:
    """Code of one baseline, and the graph of what is computed once; None where an op is no kernel.

    Args:
        graph: after what depends on parameters alone was folded.
        values: what the symbols of its sizes are.

    Raises CCompileError.
    """
    options = device_options(baseline_target(baseline), asked, _told_before)
    once, rest = frozen(graph, options)
    made = [GraphCompiler(each, lower_to_c, options).at(values) for each in (once, rest)]
    if any(compiled.hosts for compiled in made):
        return None
    flags = compiler_flags(compiler, baseline, elsewhere=True)
    before = prelude(lanes_of(options.target))
    maker = LibraryMaker(compiler, flags, before, LibraryStore(), progress)
    kernels = {k.entry: k.source for each in made for k in each.plan.kernels}
    units = divided({entry: len(source) for entry, source in kernels.items()}) if kernels else []
    texts = ["\n".join(kernels[entry] for entry in unit) for unit in units]
    libraries = tuple(
        SharedLibrary(library.code, tuple(unit))
        for library, unit in zip(maker.separate(texts), units, strict=True)
    )
    alone = LibraryMaker(compiler, flags, "", LibraryStore())
    (pool,) = alone.separate([shared_pool_source()])
    once_plan, plan = map(_saved, made)
    code = CpuCode(baseline, compiler.version, once_plan, plan, pool.code, libraries)
    return code, once


def _told_before(note: str) -> None:
    """What has no effect was told when the net was lowered."""


def compile_kernels(
    kernels: Collection[Kernel], target: Target, progress: Progress | None = None
) -> CCompiler:
    """Compile kernels that were printed for a CPU, which need not be this one; what was compiled
    before is in the cache, to which this adds. Says by which compiler.

    Raises RoasteryError where there is none for it, CCompileError.
    """
    compiler = compiler_for(target.instructions)
    other = not runs_here(target.instructions)
    flags = compiler_flags(compiler, target.instructions, elsewhere=other)
    maker = LibraryMaker(compiler, flags, prelude(lanes_of(target)), LibraryStore(), progress)
    for _ in maker.libraries(kernel.source for kernel in kernels):
        continue
    return compiler


def _saved(compiled: CompiledGraph) -> Plan:
    """For all sizes, laid out for those at hand."""
    return replace(compiled.general, memory=compiled.plan.memory)

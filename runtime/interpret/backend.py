"""The ``interpret`` executor: the GPU's kernels, run on the CPU by Triton's interpreter."""

from __future__ import annotations

from dataclasses import replace

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.precision import BFLOAT16, FLOAT16, FLOAT32, IEEE
from compiler.target import GENERIC
from compiler.triton.lower import lower_node
from ir.graph import Graph

from ..backends.host_backend import HostBackend
from .launcher import InterpretLauncher


class InterpretBackend(HostBackend):
    """Slow: for tests of what a GPU would compute."""

    name = "interpret"
    target = replace(
        GENERIC, name="Triton's interpreter", precisions=(FLOAT32, BFLOAT16, FLOAT16, IEEE)
    )

    def __init__(self, launcher: InterpretLauncher | None = None) -> None:
        super().__init__()
        self._launcher = launcher or InterpretLauncher()

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        return GraphCompiler(graph, lower_node, options)

    def launcher(self, compiled: CompiledGraph) -> InterpretLauncher:
        return self._launcher

"""Plans for a GPU are kept between processes, until something is measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from compiler import pipeline
from compiler.binary import Binary
from compiler.effort import UNASKED, Effort
from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.plan.plan import Plan
from compiler.triton.compile import Job
from compiler.triton.tuned.entry import TunedEntry
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph
from ir.types import TensorType
from runtime.cuda.backend import CudaBackend
from runtime.memory.buffers import Buffer
from tests.support import program_kernels
from tests.support.fake_gpu import FakeGpu
from tests.support.lowering import lowered
from tests.support.sample_nets import bottlenecks


class IdleGpu(FakeGpu):
    """Kernels are those that a GPU would have, and do nothing."""

    def backend(self, early: bool | None = None) -> CudaBackend:
        return CudaBackend(0, driver=self.fake.driver(), compile=self.compile)

    def compile(self, jobs: Sequence[Job], progress: Any = None) -> list[Binary]:
        return [self.install(job, lambda *given: None) for job in jobs]


def graph() -> Graph:
    b = Builder("net")
    x = b.input("x", TensorType((3, 100)))
    b.output("y", b.map(e.exp(e.arg(0)) * 2.0, x))
    b.output("z", b.sum(x, (1,)))
    return b.finish()


def bound(backend: CudaBackend) -> tuple[Plan, int]:
    """The plan that a new process runs a graph by, and how many graphs it compiles."""
    made: list[Graph] = []
    compiler = backend.compiler

    def counted(graph: Graph, options: CompileOptions) -> GraphCompiler:
        made.append(graph)
        return compiler(graph, options)

    backend.compiler = counted  # type: ignore[method-assign]
    net = graph()
    inputs, outputs = (
        {port.key: Buffer(port.value.type) for port in ports} for ports in (net.inputs, net.outputs)
    )
    options = CompileOptions(backend.target)
    backend.prepare([(net, None)], options)
    run = backend.bind(net, inputs, outputs, options)
    run.run()
    return run.plan, len(made)


def test_plans_are_kept_until_something_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))
    gpu = IdleGpu()
    first, count = bound(gpu.backend())
    assert count == 1 and len(first.launches) == len(gpu.fake.launches) > 0
    assert bound(gpu.backend()) == (first, 0)
    gpu.backend().tuned.save("0" * 64, TunedEntry(Choice(Config(())), "", 1.0, 2.0))
    assert bound(gpu.backend()) == (first, 1), "by other choices it may be another plan"
    assert bound(gpu.backend()) == (first, 0)
    gpu.fake.check()


def test_another_batch_is_compiled_in_one_way_where_that_was_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is computed again is decided once for all processes, not once in each."""
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))
    efforts: list[Effort] = []
    passes = pipeline.run_passes

    def counted(graph: Graph, options: CompileOptions, observers: Any, effort: Effort) -> Graph:
        efforts.append(effort)
        return passes(graph, options, observers, effort)

    monkeypatch.setattr(pipeline, "run_passes", counted)
    program = lowered(bottlenecks(4, 64, 64))
    net = program_kernels.training_graph(program_kernels.general(program))
    plans = []
    for batch, ways in ((64, len(UNASKED) + 1), (2, 1)):
        backend = IdleGpu().backend()
        options = CompileOptions(backend.target)
        plans.append(backend.compiler(net, options).at({**program.values, "N": batch}))
        assert len(set(efforts)) == len(efforts) == ways
        efforts.clear()
    assert len(plans[0].graph.nodes) == len(plans[1].graph.nodes)

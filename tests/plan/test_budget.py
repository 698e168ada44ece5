"""A memory budget: backward computes again what does not fit, and results are the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.architecture import Architecture
from compiler.budget import with_least_memory
from compiler.c.lanes import with_layout
from compiler.c.lower import lower_to_c
from compiler.compiled import CompiledGraph
from compiler.effort import EFFORTS, LIGHT, NO_EFFORT, Effort
from compiler.kernels.alike import Alike
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler, run_passes, verify_each
from compiler.plan.footprint import footprint
from compiler.plan_cache.kept_effort import KeptEffort
from compiler.plan_cache.plan_store import PlanStore
from compiler.target import Target, typical
from compiler.traffic import traffic
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.program import NetProgram
from ir.size import Evaluation
from ir.types import BOOL
from tests.support import program_kernels
from tests.support.lowering import lowered
from tests.support.sample_nets import bottlenecks, normalised, rectified_and_pooled

GPU = typical(Architecture(90))
CPU = with_layout(Target("cpu", vector=64, instructions="any", registers=32))
TARGETS = {"cuda": GPU, "cpu": CPU}


def net(blocks: int, extent: int = 16, batch: int = 4) -> NetProgram:
    return lowered(normalised(blocks, extent, batch))


def graph_of(program: NetProgram) -> Graph:
    return program_kernels.training_graph(program_kernels.general(program))


def compiler_of(program: NetProgram, options: CompileOptions) -> GraphCompiler:
    lower = lower_to_c if options.target.kind == "cpu" else lower_node
    return GraphCompiler(graph_of(program), lower, options)


@functools.cache
def with_effort(blocks: int, kind: str) -> Callable[[Effort], CompiledGraph]:
    """Compiles a net with an effort, once."""
    program = net(blocks)
    return efforts_of(program, CompileOptions(TARGETS[kind]))


def efforts_of(program: NetProgram, options: CompileOptions) -> Callable[[Effort], CompiledGraph]:
    compiler, number = compiler_of(program, options), Evaluation(program.values).size
    alike = Alike(lambda node: compiler._lower(node, options, number, {}))
    return functools.cache(lambda effort: compiler._with(effort, program.values, alike))


def within(budget: int, blocks: int, kind: str = "cuda", elsewhere: int = 0) -> CompiledGraph:
    attempt = with_effort(blocks, kind)
    options = CompileOptions(TARGETS[kind], memory_budget=budget, memory_elsewhere=elsewhere)
    return with_least_memory(options, attempt(NO_EFFORT).graph, attempt)


def least_of(blocks: int, kind: str = "cuda") -> int:
    """What the error says that is needed at least."""
    with pytest.raises(RoasteryError, match="the memory budget is 1 bytes, and graph") as caught:
        within(1, blocks, kind)
    found = re.search(r"a budget of (\d+) bytes suffices", str(caught.value))
    assert found is not None
    return int(found[1])


def needed(found: CompiledGraph) -> int:
    return footprint(found.plan).total


@pytest.mark.parametrize(("kind", "share"), [("cuda", 0.7), ("cpu", 0.9)])
def test_a_budget_is_kept(kind: str, share: float) -> None:
    """On CPUs light work is done anyway."""
    most = needed(with_effort(10, kind)(NO_EFFORT))
    least = least_of(10, kind)
    assert least < share * most
    for budget in (least, (least + most) // 2, most - 1, most):
        assert needed(within(budget, 10, kind)) <= budget
    assert needed(within(most, 10, kind)) == most
    with pytest.raises(RoasteryError, match=r"values inside .*, parameters .*, their diffs"):
        within(least - 1, 10, kind)


def test_a_solvers_history_is_none_of_it() -> None:
    least = least_of(10)
    with pytest.raises(RoasteryError, match="history of the solver 100 bytes"):
        within(least + 99, 10, elsewhere=100)
    within(least + 100, 10, elsewhere=100)


def test_of_more_layers_less_than_all_is_kept() -> None:
    """Of twice as many almost twice as much, where nothing is computed again."""
    few, many = (needed(with_effort(blocks, "cuda")(NO_EFFORT)) for blocks in (10, 20))
    assert many > 1.75 * few
    assert least_of(20) < 1.65 * least_of(10)


def test_light_work_costs_no_launches() -> None:
    """What maps make again is made by kernels that read its operands anyway."""
    plain, light = (list(traffic(with_effort(10, "cuda")(effort))) for effort in EFFORTS[:2])
    assert len(light) == len(plain)
    assert sum(row.flops for row in light) == sum(row.flops for row in plain)


def moved(found: CompiledGraph) -> int:
    return sum(row.times * row.nbytes for row in traffic(found))


def test_sums_are_made_again_by_kernels_that_read_what_is_added() -> None:
    """The sum of a block and the one before it: without a launch more. Each moves no byte more than
    it need not keep."""
    program = lowered(bottlenecks(4, 64, 64))
    compiled = efforts_of(program, CompileOptions(GPU))
    plain, light = compiled(NO_EFFORT), compiled(LIGHT)
    assert light.plan.launch_count <= plain.plan.launch_count
    saved = needed(plain) - needed(light)
    assert saved > 0.15 * needed(plain)
    assert moved(light) - moved(plain) <= saved


def test_of_what_backward_only_compares_a_byte_is_kept() -> None:
    """What is rectified and pooled; its sum is in memory for no product of backward."""
    compiled = efforts_of(lowered(rectified_and_pooled(64, 64)), CompileOptions(GPU))
    plain, light = compiled(NO_EFFORT), compiled(LIGHT)
    signs = [buffer for buffer in light.plan.buffers if buffer.type.dtype is BOOL]
    image = 4 * 64 * 32 * 64 * 64
    assert sorted(b.type.nbytes for b in signs) == [image // 16, image // 4]
    assert needed(light) < needed(plain)
    assert moved(light) < moved(plain)


def test_what_costs_next_to_nothing_is_computed_again_unasked() -> None:
    """On GPUs, where memory may be short."""
    large, small = lowered(bottlenecks(4, 64, 64)), lowered(bottlenecks(4, 16, 4))
    kept, unasked = (CompileOptions(GPU, recomputes=again) for again in (False, True))
    before, after = (compiler_of(large, each).at(large.values) for each in (kept, unasked))
    assert needed(after) < 0.85 * needed(before)
    assert moved(after) <= 1.04 * moved(before)
    plans = [compiler_of(small, each).at(small.values).plan for each in (kept, unasked)]
    assert plans[0] == plans[1]
    assert before.plan == efforts_of(large, kept)(NO_EFFORT).plan


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_same_is_computed(target: Target) -> None:
    program = net(9, extent=6, batch=2)
    graph = graph_of(program)
    rng = np.random.default_rng(0)
    at = graph_at(graph, program.values)
    given = [
        rng.integers(0, 3, p.value.shape).astype(np.float32)
        if p.name == "t"
        else rng.random(p.value.shape) + 0.5
        for p in at.inputs
    ]
    expected = run_graph(at, given)
    counts = set()
    for effort in EFFORTS:
        passed = run_passes(graph, CompileOptions(target), [verify_each], effort)
        counts.add(len(passed.nodes))
        results = run_graph(graph_at(passed, program.values), given)
        for port, a, b in zip(graph.outputs, results, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=port.name)
    assert len(counts) > 3


def test_it_is_decided_for_each_batch() -> None:
    """A budget that suffices for two images does with more of them what it can."""
    program = net(10, batch=2)
    ample = CompileOptions(GPU, memory_budget=1 << 40)  # any: small kernels share no memory for it
    plain = compiler_of(program, ample).at(program.values)
    budget = needed(plain)
    compiler = compiler_of(program, CompileOptions(GPU, memory_budget=budget))
    same = compiler.at(program.values)
    assert same.plan == plain.plan
    more = compiler.at({**program.values, "N": 3})
    assert needed(more) <= budget
    assert more.graph is not same.graph
    with pytest.raises(RoasteryError, match="the memory budget"):
        compiler.at({**program.values, "N": 100})
    assert compiler.at(program.values) is same


def test_without_a_budget_it_is_decided_once_for_all_batches() -> None:
    """Other sizes compile nothing, and what they do depends on no size that came before."""
    program = lowered(bottlenecks(4, 64, 64))
    compiler = compiler_of(program, CompileOptions(GPU))
    fewer = compiler.at({**program.values, "N": 2})
    many = compiler.at(program.values)
    assert fewer.graph is many.graph
    assert fewer.graph is not compiler.graph  # something is computed again


def test_what_was_decided_is_kept_between_processes(tmp_path: Path) -> None:
    """Who asks again compiles in one way; a file that is damaged is as if it were not there."""
    program, options = lowered(bottlenecks(4, 64, 64)), CompileOptions(GPU)
    store = PlanStore(tmp_path)
    graph = graph_of(program)

    def made() -> GraphCompiler:
        kept = KeptEffort(graph, options, store)
        return GraphCompiler(graph, lower_node, options, kept=kept)

    first, second = made(), made()
    expected = first.at(program.values)
    found = second.at(program.values)
    assert found.plan == expected.plan
    assert len(second._passed) == 1 < len(first._passed)
    (file,) = tmp_path.glob("*")
    file.write_bytes(file.read_bytes()[:-1])
    assert made().at(program.values).plan == expected.plan


def test_passes_that_are_named_decide() -> None:
    """Where none of them computes again there is one attempt."""
    tried: list[Effort] = []
    options = CompileOptions(GPU, memory_budget=1, passes=("simplify", "fuse"))

    def attempt(effort: Effort) -> CompiledGraph:
        tried.append(effort)
        return with_effort(10, "cuda")(effort)

    with pytest.raises(RoasteryError, match="the memory budget"):
        with_least_memory(options, graph_of(net(2)), attempt)
    assert tried == [NO_EFFORT]

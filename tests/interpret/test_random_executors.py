"""Random graphs over every op on every executor, against double precision."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject

from compiler.kernel import Launch
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.triton.lower import ways_of
from ir.graph import Graph, Node, PortKey, Role
from ir.interpret import run_graph
from runtime.backends.backend import Backend, Values, synchronize
from runtime.backends.reference import ReferenceBackend
from runtime.cpu.backend import CpuBackend
from runtime.interpret.backend import InterpretBackend
from runtime.interpret.launcher import InterpretLauncher
from runtime.memory.buffers import Buffer
from tests.support import c_kernels
from tests.support.graphs import DRAWERS, PATTERNS, Drawn, examples, graphs, trained
from tests.support.graphs.rounding import SINGLE, TooLarge, expected
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.program_orders import shuffled
from tests.support.small_tiles import use_small_tiles


class AnyTile(InterpretBackend):
    """Takes for each kernel another one of its tiles and splits, not the best; all are small."""

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        turn = itertools.count(len(graph.nodes))

        def lower(
            node: Node, options: CompileOptions, number: AsNumber, known: object
        ) -> list[Launch]:
            scheduled = ways_of(node, options, number)
            return scheduled.launches(scheduled.choices[next(turn) % len(scheduled.choices)])

        return GraphCompiler(graph, lower, options)


BACKENDS: dict[str, Callable[[Path], Backend]] = {
    "reference": lambda folder: ReferenceBackend(),
    "interpret": lambda folder: AnyTile(InterpretLauncher(folder, order=shuffled)),
    "c": lambda folder: c_kernels.backend(),
    "cuda": lambda folder: InterpretingGpu(folder).backend(),  # the best, in ascending order
}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    if request.param == "c" and not c_kernels.COMPILED:
        pytest.skip("there is no C compiler")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "interpret":
            use_small_tiles(patch)
        yield BACKENDS[request.param](tmp_path_factory.mktemp("kernels"))


def run(
    drawn: Drawn,
    backend: Backend,
    *,
    in_place: bool,
    general: Graph | None = None,
    values: Values = None,
) -> list[np.ndarray]:
    """Outputs of the second of two runs, which begin with the same variables.

    ``in_place``: results lie in the buffers of data of their type, as tops in their bottoms'.
    ``general`` is run at ``values``, where it is the drawn graph.
    """
    graph = drawn.graph
    inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
    free = [inputs[p.key] for p in graph.inputs if p.role is Role.DATA]
    outputs: dict[PortKey, Buffer] = {}
    for port in graph.outputs:
        shared = [
            inputs[k] for r in _variables(port.role) if (k := PortKey(r, port.name)) in inputs
        ]
        if in_place and port.role is Role.RESULT:
            shared = [b for b in free if b.type == port.value.type][:1]
            free = [b for b in free if b not in shared]
        outputs[port.key] = shared[0] if shared else Buffer(port.value.type)
    bound = backend.bind(general or graph, inputs, outputs, CompileOptions(), values)
    for _ in range(2):
        for port, array in zip(graph.inputs, drawn.arrays(double=False), strict=True):
            inputs[port.key].array[...] = array
        bound.run()
        synchronize(backend)
    return [outputs[p.key].array.copy() for p in graph.outputs]


def _variables(role: Role) -> tuple[Role, ...]:
    if role is Role.STATE:
        return (Role.STATE, Role.PARAMETER)
    return (Role.GRADIENT,) if role is Role.GRADIENT else ()


def check(
    drawn: Drawn,
    backend: Backend,
    *,
    in_place: bool,
    general: Graph | None = None,
    values: Values = None,
) -> None:
    try:
        wanted = expected(drawn.graph, drawn.arrays(), SINGLE)
    except TooLarge:
        reject()
    drawn.taken_calls()
    run_graph(drawn.graph, drawn.arrays())
    calls = drawn.taken_calls()
    found = run(drawn, backend, in_place=in_place, general=general, values=values)
    assert drawn.taken_calls() == calls * 2
    wanted.check(found, [p.name for p in drawn.graph.outputs])


def _fewer(backend: Backend) -> int:
    """A GPU's kernels are the interpreter's: it takes as many graphs as show its own faults."""
    return 1 if backend.name.startswith("cuda") else 2


@pytest.mark.parametrize("name", sorted(DRAWERS | PATTERNS))
def test_forward(name: str, backend: Backend) -> None:
    @examples(_fewer(backend))
    @given(graphs(name, most=6))
    def on_executor(drawn: Drawn) -> None:
        check(drawn, backend, in_place=True)

    on_executor()


@pytest.mark.parametrize("op", sorted(DRAWERS))
def test_forward_and_backward(op: str, backend: Backend) -> None:
    @examples(_fewer(backend))
    @given(graphs(op, most=4))
    def on_executor(drawn: Drawn) -> None:
        check(trained(drawn), backend, in_place=False)

    on_executor()


def check_sizes(drawn: Drawn, backend: Backend, *, in_place: bool) -> None:
    """Compiled for all sizes, and run at some."""
    for values in drawn.values(2):
        check(drawn.at(values), backend, in_place=in_place, general=drawn.graph, values=values)


@pytest.mark.parametrize("backend", ["interpret", "c"], indirect=True)
@pytest.mark.parametrize("name", sorted(DRAWERS | PATTERNS))
def test_at_other_sizes(name: str, backend: Backend) -> None:
    trains = name in DRAWERS

    @examples(6 if isinstance(backend, CpuBackend) else 1)
    @given(graphs(name, most=4, symbolic=True))
    def on_executor(drawn: Drawn) -> None:
        check_sizes(trained(drawn) if trains else drawn, backend, in_place=not trains)

    on_executor()

"""Every graph that the compiler makes goes through its text form unchanged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compiler.options import CompileOptions
from compiler.passes.autodiff import split
from compiler.passes.freeze import freeze
from compiler.pipeline import run_passes
from ir.graph import Graph
from ir.text import format_graph, parse_graph
from ir.verify import verify
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun
from tests.support.program_kernels import layer_graphs, training_graph

ONE_PER_TYPE = {case.layer_type: case for case in all_cases()}.values()


def graphs(case: LayerCase) -> Iterator[Graph]:
    program = LayerRun(case).program
    yield program.graph
    yield from freeze(program.graph)
    whole = training_graph(program)
    for graph in (whole, *split(whole)):
        yield graph
        yield run_passes(graph, CompileOptions())
        yield run_passes(graph, CompileOptions(fuel=2))
    for pair in layer_graphs(program):
        yield from pair


@pytest.mark.parametrize("case", ONE_PER_TYPE, ids=str)
def test_graphs_round_trip(case: LayerCase) -> None:
    for graph in graphs(case):
        text = format_graph(graph)
        again = parse_graph(text)
        verify(again)
        assert format_graph(again) == text

"""Passes by name: which there are, and which run."""

from __future__ import annotations

import pytest

from compiler.options import CompileOptions
from compiler.passes.autodiff import append_backward
from compiler.passes.registry import PASSES, listing, passes_named, register
from compiler.pipeline import compile_graph, run_passes
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.ops.fusion import Fused
from ir.text import format_graph, parse_graph

GRAPH = parse_graph("""graph net {
  input %x: f32[4,3] data
  input %w: f32[2,3] parameter
  %ip: f32[4,2] = matmul(%x, %w) transpose_b=true  # ip
  %copy: f32[4,2] = map(%ip) {stop(a0)}  # copy
  %y: f32[4,2] = map(%copy) {max(a0, 0.0)}  # relu
  output %y: f32[4,2] result
}""")


def ran(passes: tuple[str, ...] | None, graph: Graph) -> list[str]:
    names: list[str] = []
    run_passes(graph, CompileOptions(passes=passes), [lambda name, *_: names.append(name)])
    return names


def test_the_passes_that_are_asked_for_run_in_order() -> None:
    graph = append_backward(GRAPH)
    assert ran(("fuse", "simplify"), graph) == ["fuse", "simplify"]
    assert ran((), graph) == []
    assert len(ran(None, graph)) > 3
    assert run_passes(graph, CompileOptions(passes=())) is graph


@pytest.mark.parametrize("text", ["", "none", "simplify", "fuse,simplify", "fuse,fuse", "default"])
def test_kernels_are_made_of_whatever_the_passes_leave(text: str) -> None:
    options = CompileOptions(passes=passes_named(text))
    compiled = compile_graph(append_backward(GRAPH), lower_node, options)
    labels = [n.op.label for n in compiled.graph.nodes if isinstance(n.op, Fused)]
    assert compiled.launches and len(labels) == len(set(labels))


def test_names_are_read_as_they_are_written() -> None:
    assert passes_named("simplify, remove-dead-code,") == ("simplify", "remove_dead_code")
    assert passes_named("none") == passes_named("") == ()
    assert passes_named("default") is None


@pytest.mark.parametrize("text", ["fuze", "simplify,none", "Fuse", "simplify;fuse"])
def test_an_unknown_name_lists_the_passes(text: str) -> None:
    with pytest.raises(RoasteryError) as caught:
        passes_named(text)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("there is no pass '")
    assert [line.split()[0] for line in lines[2:]] == sorted(PASSES)
    assert all(len(line.split()) > 4 for line in listing().splitlines())


def test_every_pass_runs_on_a_graph_as_it_is() -> None:
    for name in PASSES:
        graph = run_passes(GRAPH, CompileOptions(passes=(name,)))
        assert format_graph(graph).startswith("graph ")


def test_a_graph_gets_one_backward() -> None:
    with pytest.raises(RoasteryError, match="has a backward already"):
        run_passes(append_backward(GRAPH), CompileOptions(passes=("differentiate",)))
    passes = CompileOptions(passes=("simplify", "differentiate"))
    with pytest.raises(RoasteryError, match="simplify, differentiate change the inputs of graph"):
        compile_graph(GRAPH, lower_node, passes)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="there is a pass 'fuse' already"):
        register("fuse")(PASSES["fuse"])

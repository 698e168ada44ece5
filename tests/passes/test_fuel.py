"""Optimization fuel: with any limit the passes leave a valid graph of the same meaning."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from compiler.image_layout import ROW_MAJOR
from compiler.options import CompileOptions
from compiler.passes.autodiff import append_backward
from compiler.passes.context import PassContext
from compiler.passes.fuel import Fuel
from compiler.passes.registry import default_passes, find_pass
from compiler.pipeline import compile_graph
from compiler.target import GENERIC
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role
from ir.location import Location
from ir.ops.fusion import Fused
from ir.text import format_graph
from ir.types import TensorType
from ir.verify import verify
from tests.support.graphs import Drawn, examples, graphs
from tests.support.kernel_rules import check_kernels

EVERYTHING = 1 << 30


def optimised(graph: Graph, fuel: Fuel, *names: str) -> Graph:
    context = PassContext(fuel=fuel)
    for name in names or default_passes(GENERIC):
        graph = find_pass(name)(graph, context)
        verify(graph)
    return graph


def rewrites(graph: Graph, *names: str) -> list[str]:
    """All rewrites of some passes, in order."""
    fuel = Fuel(EVERYTHING)
    optimised(graph, fuel, *names)
    found = []
    for limit in range(1, fuel.spent + 1):
        optimised(graph, some := Fuel(limit), *names)
        found.append(some.last)
    return found


@examples(20)
@given(graphs(), st.floats(0, 1, exclude_max=True))
def test_rewrites_are_counted(drawn: Drawn, part: float) -> None:
    """What they leave is looked at in :mod:`.test_random_graphs`."""
    graph = append_backward(drawn.graph)
    fuel = Fuel(EVERYTHING)
    whole = optimised(graph, fuel)
    assert format_graph(whole) == format_graph(optimised(graph, Fuel()))
    limit = int(fuel.spent * part)
    check_kernels(optimised(graph, some := Fuel(limit)))
    assert some.spent == limit and some.last.startswith(f"rewrite {limit}: " if limit else "")


@examples(20)
@given(graphs())
def test_without_fuel_every_node_is_a_kernel_that_can_be_printed(drawn: Drawn) -> None:
    graph = append_backward(drawn.graph)
    rows = replace(GENERIC, layout=ROW_MAJOR)
    fused = compile_graph(graph, lower_node, CompileOptions(rows, fuel=0)).graph
    bodies = [n.op.body for n in fused.nodes if isinstance(n.op, Fused)]
    assert all(len(body.nodes) == 1 for body in bodies)
    without = compile_graph(graph, lower_node, CompileOptions(rows, passes=())).graph
    assert format_graph(fused) == format_graph(without)


def test_a_rewrite_is_told_with_its_pass_and_places() -> None:
    b = Builder("net")
    x = b.input("x", TensorType((4, 3)), Role.DATA)
    w = b.input("w", TensorType((2, 3)), Role.PARAMETER)
    with b.at(Location("net.prototxt", 3, 1, "ip1"), "ip1"):
        y = b.matmul(x, w, transpose_b=True)
    with b.at(Location("net.prototxt", 9, 1, "relu1"), "relu1"):
        b.map(e.exp(e.arg(0)), y)  # nobody reads it
        one = b.map(e.stop(e.maximum(e.arg(0), 0.0)), y)
        other = b.map(e.maximum(e.arg(0), 0.0), y)
        z = b.map(e.arg(0) + e.arg(1), one, other)
    b.output("z", z, Role.RESULT)
    relu, ip = r"%\S+ \(relu1, net.prototxt:9\)", r"%\S+ \(ip1, net.prototxt:3\)"
    patterns = (
        rf"drop_stop_gradient: {relu}",
        rf"remove_dead_code: {relu}",
        rf"simplify: merged {relu} with {relu}",
        rf"simplify: tidy_map of {relu}",
        rf"fuse: joined {relu} to {ip}",
        rf"fuse: joined {relu} to {ip}",
    )
    found = rewrites(b.finish())
    for number, (line, pattern) in enumerate(zip(found, patterns, strict=True), 1):
        assert re.fullmatch(f"rewrite {number}: {pattern}", line), line

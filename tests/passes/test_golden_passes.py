"""Passes before and after, as text.

Every file of ``golden/`` is named after a pass and a case, and holds a graph, a line of ``=``, and
what the pass makes of it. ``pytest --update-golden`` writes the second half anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.effort import Effort
from compiler.options import CompileOptions
from compiler.passes.accumulate import accumulate
from compiler.passes.autodiff import differentiate, drop_stop_gradient
from compiler.passes.bundle import bundle
from compiler.passes.channel_factors import channel_factors
from compiler.passes.channel_products import channel_products
from compiler.passes.checkpoint import checkpoint
from compiler.passes.context import PassContext
from compiler.passes.deviations import sum_deviations
from compiler.passes.fuse import fuse
from compiler.passes.layouts import choose_layouts
from compiler.passes.parts import place_parts
from compiler.passes.recompute import recompute
from compiler.passes.reuse_results import reuse_results
from compiler.passes.signs import keep_signs
from compiler.passes.simplify import remove_dead_code, simplify
from compiler.target import GENERIC
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.text import format_graph, parse_graph
from ir.verify import verify
from runtime.machine.processor import numpy_target

FOLDER = Path(__file__).parent / "golden"
RULE = "=" * 72 + "\n"


def train(graph: Graph) -> Graph:
    """Backward for all parameters and data inputs."""
    return differentiate(
        graph,
        parameters=[p.name for p in graph.inputs if p.role is Role.PARAMETER],
        diffs={p.name: p.value for p in graph.inputs if p.role is Role.DATA},
    )


def wanting(layout: str) -> PassContext:
    """For a target that wants images in a layout."""
    return PassContext(CompileOptions(replace(GENERIC, layout=layout)))


PASSES: dict[str, Callable[[Graph], Graph]] = {
    "accumulate": lambda graph: accumulate(graph, {"w"}),
    "autodiff": train,
    "marks": drop_stop_gradient,
    "channel": lambda graph: channel_factors(graph, PassContext(CompileOptions(GENERIC))),
    "products": lambda graph: channel_products(fuse(graph), PassContext(CompileOptions(GENERIC))),
    "dead": remove_dead_code,
    "deviations": lambda graph: sum_deviations(graph, PassContext(CompileOptions(GENERIC))),
    "simplify": simplify,
    "reuse": reuse_results,
    "recompute": lambda graph: recompute(graph, PassContext(CompileOptions(numpy_target()))),
    "apart": lambda graph: recompute(graph, PassContext(CompileOptions(GENERIC))),
    "checkpoint": lambda graph: checkpoint(
        graph, PassContext(effort=Effort(4, segments=2, again=1))
    ),
    "signs": lambda graph: keep_signs(graph, PassContext(CompileOptions(GENERIC))),
    "fuse": fuse,
    "bundle": lambda graph: bundle(fuse(graph), PassContext(CompileOptions(GENERIC))),
    "layout": lambda graph: choose_layouts(graph, wanting("channels-last")),
    "parts": place_parts,
    "blocks": lambda graph: choose_layouts(graph, wanting("channels-by-4")),
}
CASES = sorted(FOLDER.glob("*.txt"))


def test_there_is_a_case_for_every_pass() -> None:
    assert {c.stem.partition("-")[0] for c in CASES} == set(PASSES)


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_pass(path: Path, request: pytest.FixtureRequest) -> None:
    before, rule, expected = path.read_text().partition(RULE)
    assert rule or request.config.getoption("--update-golden")
    graph = parse_graph(before)
    verify(graph)
    name = path.stem.partition("-")[0]
    after = PASSES[name](graph)
    verify(after)
    assert format_graph(graph) == format_graph(parse_graph(before)), "the pass changed its input"
    if name not in ("accumulate", "autodiff"):
        _same_results(graph, after)
    if request.config.getoption("--update-golden"):
        path.write_text(format_graph(graph) + RULE + format_graph(after))
        return
    assert format_graph(after) == expected


def _same_results(before: Graph, after: Graph) -> None:
    rng = np.random.default_rng(0)
    inputs = [
        rng.standard_normal(p.value.shape)
        if p.value.type.dtype.is_float
        else rng.integers(0, 3, p.value.shape).astype(p.value.type.dtype.numpy)
        for p in before.inputs
    ]
    for a, b in zip(run_graph(before, inputs), run_graph(after, inputs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)

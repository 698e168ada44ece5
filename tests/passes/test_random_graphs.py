"""Every pass, and all of them, on random graphs over every op: the meaning stays."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, assume, given, reject, settings
from hypothesis import strategies as st

import ir.ops  # noqa: F401  (registers the ops)
from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate, drop_stop_gradient
from compiler.passes.context import PassContext
from compiler.passes.freeze import freeze
from compiler.passes.registry import PASSES
from compiler.pipeline import run_passes, verify_each
from compiler.target import GENERIC
from ir import expr as e
from ir.graph import Direction, Graph, Role, Value
from ir.interpret import run_graph
from ir.op import OPS, Op, Property
from ir.ops.fusion import Fused
from ir.ops.gradient import ClipDiff, DiffAs
from ir.ops.movement import Concat
from ir.ops.pointwise import Map
from ir.ops.reduction import Reduce
from ir.ops.window import WindowSpread
from ir.primitives import PRIMITIVES
from ir.text import format_graph, parse_graph
from ir.verify import verify
from tests.support.graphs import DRAWERS, PATTERNS, Drawn, examples, graphs, trained
from tests.support.graphs.rounding import DOUBLE, Expected, TooLarge, expected
from tests.support.kernel_rules import check_kernels
from tests.support.split_run import run_apart


def has_gradient(op: type[Op]) -> bool:
    return op.gradient is not Op.gradient


def has_derivative(op: type[Op]) -> bool:
    """Whether its gradient is the derivative: that of DiffAs is another value's, that of ClipDiff
    is clipped."""
    return has_gradient(op) and op not in (ClipDiff, DiffAs)


ALONE = sorted(set(PASSES) - {"differentiate"})
"""What leaves the ports as they are."""


LAYOUTS = ("row-major", "channels-last", "channels-by-2", "channels-by-3")


def wanting(layout: str) -> CompileOptions:
    """Options for a target that wants images in a layout."""
    return CompileOptions(replace(GENERIC, layout=layout))


def truth(drawn: Drawn) -> tuple[Expected, list[str]]:
    """Outputs in double precision, and the calls of the host that one run makes."""
    try:
        outputs = expected(drawn.graph, drawn.arrays(), DOUBLE)
    except TooLarge:
        reject()
    drawn.taken_calls()
    run_graph(drawn.graph, drawn.arrays())
    return outputs, drawn.taken_calls()


def check(drawn: Drawn, graph: Graph, wanted: tuple[Expected, list[str]]) -> None:
    """Whether ``graph`` is what ``drawn`` is."""
    outputs, calls = wanted
    ports = [(p.name, p.role) for p in drawn.graph.outputs]
    assert [(p.name, p.role) for p in graph.outputs] == ports
    given = {(p.name, p.role): a for p, a in zip(drawn.graph.inputs, drawn.arrays(), strict=True)}
    found = run_graph(graph, [given[p.name, p.role] for p in graph.inputs])
    assert drawn.taken_calls() == calls
    outputs.check(found, [name for name, _ in ports])


@pytest.mark.parametrize("name", sorted(DRAWERS | PATTERNS))
def test_passes_keep_the_meaning(name: str) -> None:
    @examples(3)
    @given(graphs(name))
    def forward_and_backward(drawn: Drawn) -> None:
        verify(drawn.graph)
        for whole in (drawn, trained(drawn)):
            verify(whole.graph)
            wanted = truth(whole)
            for step in ALONE:
                options = CompileOptions(passes=(step,))
                check(whole, run_passes(whole.graph, options, [verify_each]), wanted)
            fused = run_passes(whole.graph, CompileOptions(), [verify_each])
            check_kernels(fused)
            check(whole, fused, wanted)

    forward_and_backward()


@examples(30)
@given(graphs(), st.lists(st.sampled_from(ALONE), max_size=5), st.integers(0, 60))
def test_any_passes_in_any_order_keep_the_meaning(
    drawn: Drawn, names: list[str], fuel: int
) -> None:
    """Also when they stop midway."""
    whole = trained(drawn)
    for options in (CompileOptions(fuel=fuel), CompileOptions(passes=tuple(names))):
        changed = run_passes(whole.graph, options, [verify_each])
        check(whole, changed, truth(whole))
        if options.passes is None:
            check_kernels(changed)


@pytest.mark.parametrize("op", sorted(DRAWERS))
def test_texts_are_read_as_they_were(op: str) -> None:
    @examples(2)
    @given(graphs(op))
    def round_trip(drawn: Drawn) -> None:
        whole = trained(drawn)
        for graph in (whole.graph, run_passes(whole.graph, CompileOptions())):
            text = format_graph(graph)
            again = parse_graph(text)
            assert format_graph(again) == text
            verify(again)
        if not any(n.op.properties & Property.EFFECT for n in whole.graph.nodes):
            check(whole, again, truth(whole))

    round_trip()


@examples(40)
@given(graphs(), st.sampled_from(LAYOUTS))
def test_frozen_graphs_keep_the_meaning(drawn: Drawn, layout: str) -> None:
    wanted = truth(drawn)
    prepare, main = freeze(drawn.graph, PassContext(wanting(layout)))
    verify(prepare)
    verify(main)
    assert {p.role for p in prepare.inputs} <= {Role.PARAMETER, Role.STATE}
    given = {p.name: a for p, a in zip(drawn.graph.inputs, drawn.arrays(), strict=True)}
    once = run_graph(prepare, [given[p.name] for p in prepare.inputs])
    given.update(zip((p.name for p in prepare.outputs), once, strict=True))
    found = run_graph(main, [given[p.name] for p in main.inputs])
    assert drawn.taken_calls() == wanted[1]
    wanted[0].check(found, [p.name for p in main.outputs])


@examples(30)
@given(graphs(), st.sampled_from(LAYOUTS[1:]), st.integers(0, 20))
def test_layouts_keep_the_meaning(drawn: Drawn, layout: str, fuel: int) -> None:
    """Also where only some values are laid out, and when there is nothing left to choose."""
    whole = trained(drawn)
    options = wanting(layout)
    for chosen in (options, replace(options, fuel=fuel)):
        fused = run_passes(whole.graph, chosen, [verify_each])
        check_kernels(fused)
        check(whole, fused, truth(whole))
    once = run_passes(whole.graph, replace(options, passes=("simplify", "layout")))
    again = run_passes(once, replace(options, passes=("layout",)))
    assert format_graph(again) == format_graph(once)


@examples(40)
@given(graphs())
def test_forward_and_backward_run_apart(drawn: Drawn) -> None:
    whole = trained(drawn)
    wanted = truth(whole)
    found = run_apart(whole.graph, whole.arrays())
    assert whole.taken_calls() == wanted[1]
    wanted[0].check(found, [p.name for p in whole.graph.outputs])


@examples(30)
@given(graphs())
def test_directions_do_not_share_kernels(drawn: Drawn) -> None:
    for node in run_passes(trained(drawn).graph, CompileOptions()).nodes:
        if isinstance(node.op, Fused):
            # What is cheap may be computed again, but a forward kernel holds nothing of backward.
            inside = {n.direction for n in node.op.body.nodes}
            assert node.direction in inside
            assert node.direction is Direction.BACKWARD or inside == {Direction.FORWARD}


@pytest.mark.parametrize("op", [op for op in sorted(DRAWERS) if has_derivative(OPS[op])])
def test_gradients_are_the_derivatives(op: str) -> None:
    @examples(5)
    @given(graphs(op, most=4))
    def along_a_line(drawn: Drawn) -> None:
        check_gradients(drawn)

    along_a_line()


def check_gradients(drawn: Drawn) -> None:
    """Along a random direction of all inputs that may be moved, where the graph is smooth."""
    # Without ``stop``, through which the numeric derivative would see.
    graph = drop_stop_gradient(drawn.graph)
    moved = [
        p for p, c in zip(graph.inputs, drawn.contents, strict=True)
        if c.smooth and p.value.type.dtype.is_float
    ]  # fmt: skip
    results = [p for p in graph.outputs if p.role is Role.RESULT and p.value.type.dtype.is_float]
    floats = [n for n in graph.nodes if all(map(_any_float, (n.inputs, n.outputs)))]
    assume(moved and results and all(has_derivative(type(n.op)) for n in floats))
    # Of an extremum that stands in two places both have the gradient.
    twice = any(
        isinstance(n.op, WindowSpread)
        or (isinstance(n.op, Concat) and len(set(n.inputs)) < len(n.inputs))
        for n in floats
    )
    assume(not twice or not any(isinstance(n.op, Reduce) and n.op.kind != "sum" for n in floats))
    whole = differentiate(graph, diffs={p.name: p.value for p in moved})
    rng = np.random.default_rng(drawn.seed)
    inputs = dict(zip((p.name for p in graph.inputs), drawn.scattered(), strict=True))
    weights = [rng.standard_normal(p.value.shape) for p in results]
    directions = {p.name: rng.standard_normal(p.value.shape) for p in moved}

    def value(h: float) -> float:
        at = [a + h * directions[name] if name in directions else a for name, a in inputs.items()]
        found = dict(zip((p.name for p in graph.outputs), run_graph(graph, at), strict=True))
        parts = (float((w * found[p.name]).sum()) for w, p in zip(weights, results, strict=True))
        return sum(parts)

    step = 1e-5
    before, here, after = (value(h) for h in (-step, 0.0, step))
    size = abs(before) + abs(here) + abs(after) + 1.0
    # A kink, a jump, or too curved.
    assume(abs(after - 2 * here + before) < 1e-8 * size < 1.0)
    diffs = run_graph(whole, [*inputs.values(), *weights])[len(graph.outputs) :]
    predicted = sum(float((g * d).sum()) for g, d in zip(diffs, directions.values(), strict=True))
    assert predicted == pytest.approx((after - before) / (2 * step), rel=1e-4, abs=1e-4 * size)


def _any_float(values: Sequence[Value]) -> bool:
    return any(v.type.dtype.is_float for v in values)


def test_every_op_is_drawn() -> None:
    """A new op needs a function in tests/support/graphs that draws it."""
    assert set(DRAWERS) == set(OPS) - {Fused.name}


@pytest.mark.parametrize("op", sorted(DRAWERS))
def test_an_op_that_is_asked_for_is_drawn(op: str) -> None:
    found = []

    @examples(5)
    @given(graphs(op, most=0))
    def collect(drawn: Drawn) -> None:
        found.extend(n.op.name for n in drawn.graph.nodes)

    collect()
    assert op in found


class AllDrawn(Exception):
    """No further example is needed."""


def test_every_primitive_is_drawn() -> None:
    missing = set(PRIMITIVES) - {"to_f16", "to_bf16"}  # they round: no run tells what is exact

    @settings(examples(800), phases=(Phase.generate,), report_multiple_bugs=False)
    @given(graphs("map", most=0))
    def collect(drawn: Drawn) -> None:
        for node in drawn.graph.nodes:
            if isinstance(node.op, Map):
                missing.difference_update(x.op for x in e.walk(*node.op.exprs))
        if not missing:
            raise AllDrawn

    with contextlib.suppress(AllDrawn):
        collect()
    assert not missing

"""All passes on random graphs and on a real net: same results, kernels as backends expect them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate, drop_stop_gradient, split
from compiler.pipeline import Timings, run_passes, verify_each
from compiler.plan.memory import plan_memory
from examples.googlenet.make_net import googlenet
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.graph import Direction, Graph, Role
from ir.interpret import run_graph
from ir.ops.fusion import Fused
from ir.text import format_graph, parse_graph
from ir.verify import verify
from tests.support.kernel_rules import check_kernels
from tests.support.planned_run import run_planned
from tests.support.random_graphs import random_graph, random_inputs

SEEDS = range(30)


def trained(seed: int) -> Graph:
    graph = random_graph(seed)
    return differentiate(
        graph,
        parameters=["scale", "filter", "matrix"],
        diffs={"x": graph.input("x").value, "y": graph.input("y").value},
    )


def assert_same(a: list[np.ndarray], b: list[np.ndarray]) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_passes_keep_the_meaning(seed: int) -> None:
    graph = trained(seed)
    inputs = random_inputs(graph)
    expected = run_graph(graph, inputs)
    fused = run_passes(graph, CompileOptions(), [verify_each])
    check_kernels(fused)
    assert_same(run_graph(fused, inputs), expected)
    text = format_graph(fused)
    assert format_graph(parse_graph(text)) == text


@pytest.mark.parametrize("seed", SEEDS)
def test_a_memory_plan_keeps_the_meaning(seed: int) -> None:
    fused = run_passes(trained(seed), CompileOptions())
    plan = plan_memory(fused)
    inputs = [a.astype(np.float32) for a in random_inputs(fused)]
    for a, b in zip(run_graph(fused, inputs), run_planned(fused, plan, inputs), strict=True):
        np.testing.assert_array_equal(a, b)
    assert plan.bound <= plan.peak <= plan.total


@pytest.mark.parametrize("seed", SEEDS)
def test_directions_do_not_share_kernels(seed: int) -> None:
    graph = run_passes(trained(seed), CompileOptions())
    backward = [i for i, n in enumerate(graph.nodes) if n.direction is Direction.BACKWARD]
    assert backward
    for node in graph.nodes:
        if isinstance(node.op, Fused):
            # What is cheap may be computed again, but a forward kernel holds nothing of backward.
            inside = {n.direction for n in node.op.body.nodes}
            assert node.direction in inside
            assert node.direction is Direction.BACKWARD or inside == {Direction.FORWARD}


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_of_random_graphs(seed: int) -> None:
    """Along a random direction of the inputs, in double precision."""
    # Without ``stop``, through which the numeric derivative would see.
    graph = drop_stop_gradient(random_graph(seed, nodes=12))
    whole = differentiate(graph, diffs={n: graph.input(n).value for n in ("x", "filter")})
    results = [p for p in graph.outputs if p.role is Role.RESULT]
    rng = np.random.default_rng(seed)
    inputs = random_inputs(graph)
    weights = [rng.standard_normal(p.value.shape) for p in results]
    found = run_graph(whole, [*inputs, *weights])[len(graph.outputs) :]
    places = [next(i for i, p in enumerate(graph.inputs) if p.name == n) for n in ("x", "filter")]
    directions = [rng.standard_normal(inputs[i].shape) for i in places]

    def value(h: float) -> float:
        moved = list(inputs)
        for i, d in zip(places, directions, strict=True):
            moved[i] = moved[i] + h * d
        outs = run_graph(graph, moved)[: len(results)]
        return sum(float((w * o).sum()) for w, o in zip(weights, outs, strict=True))

    slope = (value(1e-6) - value(-1e-6)) / 2e-6
    predicted = sum(float((g * d).sum()) for g, d in zip(found, directions, strict=True))
    assert predicted == pytest.approx(slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_forward_and_backward_run_apart(seed: int) -> None:
    graph = trained(seed)
    ahead, behind = split(graph)
    verify(ahead)
    assert all(n.direction is Direction.FORWARD for n in ahead.nodes)
    arrays = dict(zip(((p.name, p.role) for p in graph.inputs), random_inputs(graph), strict=True))
    first = run_graph(ahead, [arrays[p.name, p.role] for p in ahead.inputs])
    saved = dict(zip(((p.name, p.role) for p in ahead.outputs), first, strict=True))
    second = run_graph(
        behind,
        [saved[p.name, p.role] if p.role is Role.SAVED else arrays[p.name, p.role]
         for p in behind.inputs],
    )  # fmt: skip
    saved.update(zip(((p.name, p.role) for p in behind.outputs), second, strict=True))
    expected = run_graph(graph, list(arrays.values()))
    assert_same([saved[p.name, p.role] for p in graph.outputs], expected)


def test_constant_seeds_are_loss_weights() -> None:
    graph = parse_graph("""graph net {
      input %x: f32[2,3] data
      %y: f32[2,3] = map(%x) {exp(a0)}
      %loss: f32[1,1] = reduce(%y) kind="sum" axes=(0,1)
      output %loss: f32[1,1] result
    }""")
    wanted = {"x": graph.inputs[0].value}
    weighted = differentiate(graph, diffs=wanted, seeds={"loss": 2.0})
    given = differentiate(graph, diffs=wanted, seeded=["loss"])
    inputs = random_inputs(weighted)
    expected = run_graph(given, [*inputs, np.full((1, 1), 2.0)])
    assert_same(run_graph(weighted, inputs), expected)
    assert np.abs(expected[-1]).max() > 0


def googlenet_graph(batch: int = 32) -> Graph:
    program = lower_layers(
        parse_text(googlenet(batch), "NetParameter", "net.prototxt"), "TRAIN"
    ).program
    seeds = {
        top: weight
        for layer in program.layers
        for top, weight in zip(layer.tops, layer.loss_weights, strict=True)
        if weight
    }
    learning = [c.name for c in program.cells.values() if c.learns]
    return differentiate(program.graph, parameters=learning, seeds=seeds)


def test_googlenet_compiles_in_seconds() -> None:
    start = time.perf_counter()
    graph = googlenet_graph()
    timings = Timings()
    fused = run_passes(graph, CompileOptions(), [timings])
    plan = plan_memory(fused)
    assert time.perf_counter() - start < 10.0, timings.table()
    check_kernels(fused)
    verify(fused)
    kernels = [n for n in fused.nodes if isinstance(n.op, Fused)]
    assert len(kernels) < 380
    # Ideal would be the bound; a blob each is what Caffe keeps.
    assert plan.peak <= 1.05 * plan.bound
    assert plan.peak < 0.45 * plan.total


def test_two_runs_give_the_same_text() -> None:
    texts = [
        format_graph(run_passes(drop_stop_gradient(trained(5)), CompileOptions())) for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_another_batch_gives_the_same_groups() -> None:
    """A batch of 1 may: sums over it have the shape of what they sum."""
    labels = [
        [(n.op.label, n.op.schedule, [type(x.op).__name__ for x in n.op.body.nodes])
         for n in run_passes(googlenet_graph(batch), CompileOptions()).nodes
         if isinstance(n.op, Fused)]
        for batch in (32, 2)
    ]  # fmt: skip
    assert labels[0] == labels[1]

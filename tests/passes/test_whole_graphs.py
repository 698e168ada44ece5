"""All passes on a real net: in seconds, kernels as backends expect them."""

from __future__ import annotations

import numpy as np

from compiler.options import CompileOptions
from compiler.passes.accumulate import accumulate
from compiler.passes.autodiff import differentiate
from compiler.pipeline import run_passes
from compiler.plan.arena import aligned
from compiler.plan.assignment import Assignment
from compiler.plan.memory import least_memory
from examples.googlenet.make_net import googlenet
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.graph import Graph
from ir.interpret import run_graph
from ir.op import Property
from ir.ops.fusion import Fused
from ir.text import parse_graph
from ir.verify import verify
from tests.support.kernel_rules import check_kernels
from tests.support.planned_run import planned


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
    inputs = [np.random.default_rng(0).standard_normal((2, 3))]
    expected = run_graph(given, [*inputs, np.full((1, 1), 2.0)])
    for a, b in zip(run_graph(weighted, inputs), expected, strict=True):
        np.testing.assert_allclose(a, b)
    assert np.abs(expected[-1]).max() > 0


def test_a_parameter_may_be_a_result() -> None:
    """As it is where a Parameter layer's top is the net's output: nothing reads it."""
    graph = parse_graph("""graph net {
      input %w: f32[2,3] parameter
      output %w: f32[2,3] result "top"
    }""")
    whole = differentiate(graph, parameters=["w"])
    w, seed, before = np.random.default_rng(0).standard_normal((3, 2, 3))
    np.testing.assert_array_equal(run_graph(whole, [w, seed])[1], seed)
    added = accumulate(whole, {"w"})
    np.testing.assert_array_equal(run_graph(added, [w, seed, before])[1], before + seed)


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
    learning = [c.name for c in program.variables.values() if c.learns]
    return differentiate(program.graph, parameters=learning, seeds=seeds)


def test_googlenet_in_few_kernels_and_little_memory() -> None:
    fused = run_passes(googlenet_graph(), CompileOptions())
    plan = planned(fused)
    check_kernels(fused)
    verify(fused)
    kernels = [n for n in fused.nodes if isinstance(n.op, Fused)]
    assert len(kernels) < 430  # 68 of them copy weights
    # Ideal would be the bound; a blob each is what Caffe keeps.
    assert plan.memory.nbytes <= 1.05 * least_memory(plan)
    number = Assignment(fused).number
    made = [v for n in fused.nodes if not n.op.properties & Property.VIEW for v in n.outputs]
    alone = sum(aligned(v.type.nbytes) for v in made if number[v] not in plan.bound)
    assert plan.memory.nbytes < 0.45 * alone


def test_another_batch_gives_the_same_groups() -> None:
    """A batch of 1 may: sums over it have the shape of what they sum. Sizes of memory decide the
    order."""
    labels = [
        sorted((n.op.label, n.op.schedule, [type(x.op).__name__ for x in n.op.body.nodes])
         for n in run_passes(googlenet_graph(batch), CompileOptions()).nodes
         if isinstance(n.op, Fused))
        for batch in (32, 2)
    ]  # fmt: skip
    assert labels[0] == labels[1]

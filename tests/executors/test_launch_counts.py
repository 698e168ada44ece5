"""How many launches and kernels nets become: bounds, so that growth is seen."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from compiler.compiled import CompiledGraph
from compiler.plan.plan import PlanLaunch
from compiler.plan.saved import plan_to_json
from ir.graph import Direction, Graph, Node
from ir.op import Property
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from roastery.reading import nets
from tests.support import program_kernels as kernels
from tests.support.lowering import program_of
from tests.support.sample_nets import recurrent, residual


def compiled(text: str) -> tuple[CompiledGraph, CompiledGraph]:
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    return kernels.forward(program), kernels.training(program)


def run(graph: CompiledGraph) -> int:
    """How many launches run."""
    count = sum(isinstance(step, PlanLaunch) for step in graph.plan.plain_steps)
    assert count == graph.plan.launch_count
    return count


def largest(graph: CompiledGraph) -> int:
    """Most arguments of a kernel that shares no launch."""
    return max(len(launch.arguments) for launch in graph.alone)


def test_two_lstm_layers_over_twenty_steps() -> None:
    forward, training = compiled(recurrent(steps=20, streams=16, hidden=256))
    # One product (with the sum of its parts) and one cell per step and layer; the rest once.
    assert run(forward) <= 130, run(forward)
    assert len(forward.kernels) <= 10, len(forward.kernels)
    # Backward one product with one more sum, the cell, and the gates; weights get one product.
    assert run(training) <= 330, run(training)
    assert len(training.kernels) <= 30, len(training.kernels)
    assert largest(training) <= 16, largest(training)


def test_steps_share_their_launches() -> None:
    """Thousands of steps take no more compiling than a few: nodes, launches and kernels are as
    many, and what is written of the plan is as long."""
    few, many = (compiled(recurrent(steps=n, hidden=16)) for n in (6, 2000))
    for short, long in zip(few, many, strict=True):
        assert len(long.graph.nodes) == len(short.graph.nodes)
        assert len(long.general.buffers) <= len(short.general.buffers) + 4
        # Long sums are split, which takes a second launch.
        assert len(short.launches) <= len(long.launches) <= len(short.launches) + 10
        assert len(long.kernels) <= len(short.kernels) + 4
        texts = [json.dumps(plan_to_json(c.plan)) for c in (short, long)]
        assert len(texts[1]) < 1.2 * len(texts[0])
        assert run(long) <= run(short) + (2000 - 6) * len(launches_of_a_step(short)) + 10


def launches_of_a_step(graph: CompiledGraph) -> list[PlanLaunch]:
    return [launch for repeat in graph.plan.repeats for launch in repeat.launches]


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_weights_of_all_steps_get_one_product(kind: str) -> None:
    text = recurrent(steps=7, streams=16, hidden=8).replace('"LSTM"', f'"{kind}"')
    _, training = compiled(text)
    inside = [n for loop in loops(training.graph) for n in loop.body.nodes]
    behind = [n for n in training.graph.nodes if n.direction is Direction.BACKWARD]

    def products(nodes: list[Node]) -> list[Node]:
        return [
            node
            for group in nodes
            if isinstance(group.op, Fused)
            for node in group.op.body.nodes
            if Property.CONTRACTION in node.op.properties
        ]

    # A step has a product forward and one backward, of each layer.
    assert len(products(inside)) == 4
    by_depth = Counter(node.multiply_adds // node.output.type.size for node in products(behind))
    # W_x and W_h of both layers (W_o of RNN's), and the score's: over all steps and streams.
    assert by_depth[7 * 16] == (5 if kind == "LSTM" else 7)


def loops(graph: Graph) -> list[StepLoop]:
    return [node.op for node in graph.nodes if isinstance(node.op, StepLoop)]


def test_residual_units_share_their_kernels() -> None:
    """A deep net of equal units, as ResNet-50 is, compiles few kernels."""
    few, many = (compiled(residual(side=8, units=n))[1] for n in (3, 12))
    assert len(many.launches) > 3 * len(few.launches)
    assert len(many.kernels) <= len(few.kernels) + 2

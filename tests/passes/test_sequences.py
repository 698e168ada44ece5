"""Launches of a recurrent net: per step as few as its arithmetic needs."""

from __future__ import annotations

import pytest

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from ir.text import format_graph
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import recurrent


def compiled(steps: int, phase: str) -> CompiledGraph:
    text = recurrent(steps=steps, streams=8, hidden=32)
    program = program_of(nets.net_from_text(text, "net.prototxt"), phase)
    return compile_program(program, CompileOptions(), backward=phase == "TRAIN").compiled


@pytest.mark.parametrize(("phase", "counts"), [("TEST", [2, 2]), ("TRAIN", [2, 2, 3, 3])])
def test_launches_per_step(phase: str, counts: list[int]) -> None:
    """Of each of two layers, forward: a product, and the cell; backward: the cell, the gates, and a
    product."""
    for steps in (6, 10):
        repeats = compiled(steps, phase).plan.repeats
        assert [repeat.turns for repeat in repeats] == [steps] * len(counts)
        assert [len(repeat.launches) for repeat in repeats] == counts


def test_parts_of_a_batch_are_not_copied() -> None:
    text = """name: "parts" input: "data" input_shape { dim: 6 dim: 40 }
    layer { name: "slice" type: "Slice" bottom: "data" top: "a" top: "b" top: "c"
      slice_param { axis: 0 } }
    layer { name: "one" type: "InnerProduct" bottom: "a" top: "one"
      inner_product_param { num_output: 8 } }
    layer { name: "two" type: "InnerProduct" bottom: "b" top: "two"
      inner_product_param { num_output: 8 } }
    layer { name: "three" type: "InnerProduct" bottom: "c" top: "three"
      inner_product_param { num_output: 8 } }"""
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
    graph = compile_program(program, CompileOptions(), backward=False).compiled
    assert [launch.kernel.entry for launch in graph.launches] == ["matmul"] * 3
    assert len(graph.kernels) == 1


def test_gates_are_computed_once() -> None:
    """Diffs of the gates are stored before they are put together: who does that computes all of its
    operands for each element."""
    graph = compiled(6, "TRAIN").graph
    steps = [n.op for n in graph.nodes if isinstance(n.op, StepLoop) and n.op.backwards]
    groups = [n.op.body for step in steps for n in step.body.nodes if isinstance(n.op, Fused)]
    together = [b for b in groups if any(n.op.parts_axis is not None for n in b.nodes)]
    assert len(together) == 2
    for body in together:
        assert "tanh" not in format_graph(body) and "sigmoid" not in format_graph(body)

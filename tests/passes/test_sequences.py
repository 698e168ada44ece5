"""Launches of a recurrent net: per step as few as its arithmetic needs."""

from __future__ import annotations

import pytest

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
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

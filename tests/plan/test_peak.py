"""What a training step has in memory at one time: no more than it must."""

from __future__ import annotations

from dataclasses import replace

from compiler.c.lanes import with_layout
from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from compiler.plan.memory import least_memory
from compiler.plan.plan import Plan
from compiler.target import Target
from tests.support import program_kernels
from tests.support.lowering import inputs, lowered

TARGET = with_layout(Target("cpu", vector=64, instructions="any", registers=32))


def block(number: int, bottom: str) -> str:
    """Convolution, normalised, scaled, rectified, and added to what it was made of."""
    name = f"b{number}"
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        "convolution_param { num_output: 16 kernel_size: 3 pad: 1 bias_term: false "
        'weight_filler { type: "msra" } } }\n'
        f'layer {{ name: "{name}_bn" type: "BatchNorm" bottom: "{name}" top: "{name}" }}\n'
        f'layer {{ name: "{name}_scale" type: "Scale" bottom: "{name}" top: "{name}" '
        "scale_param { bias_term: true } }\n"
        f'layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
    )


def training_plan(blocks: int, channels: int = 16, without: str = "") -> Plan:
    text, bottom = inputs(x=(4, channels, 16, 16), t=(4,)), "x"
    for number in range(blocks):
        text += block(number, bottom)
        bottom = f"b{number}"
    text += (
        f'layer {{ name: "ip" type: "InnerProduct" bottom: "{bottom}" top: "ip" '
        'inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    )
    program = lowered(text)
    graph = program_kernels.training_graph(program_kernels.general(program))
    passes = tuple(name for name in default_passes(TARGET) if name != without)
    options = replace(CompileOptions(TARGET), passes=passes)
    return GraphCompiler(graph, lower_to_c, options).at(program.values).plan


def test_of_a_normalised_layer_one_image_is_kept() -> None:
    """Not what it made, and what that was normalised, scaled and rectified to."""
    image = 4 * 4 * 16 * 16 * 16
    few, many = (least_memory(training_plan(blocks)) for blocks in (2, 6))
    assert many - few < 1.5 * 4 * image
    few, many = (least_memory(training_plan(blocks, without="recompute")) for blocks in (2, 6))
    assert many - few > 1.9 * 4 * image


def test_copies_of_weights_are_made_when_they_are_read() -> None:
    """And diffs of weights are added up when they are there: of each kind there is one."""
    plan = training_plan(6)
    weights = 4 * 16 * 16 * 3 * 3
    alive: list[set[int]] = [set() for _ in plan.steps]
    for number, buffer in enumerate(plan.buffers):
        if number not in plan.bound and buffer.type.nbytes == weights:
            uses = [i for i, step in enumerate(plan.steps) if number in step.uses]
            for i in range(uses[0], uses[-1] + 1) if uses else ():
                alive[i].add(number)
    assert 0 < max(map(len, alive)) <= 3

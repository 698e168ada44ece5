"""What a training step has in memory at one time: no more than it must."""

from __future__ import annotations

from dataclasses import replace

from compiler.c.lanes import with_layout
from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from compiler.plan.memory import least_memory, lifetimes
from compiler.plan.plan import Plan
from compiler.target import Target
from tests.support import program_kernels
from tests.support.lowering import inputs, lowered
from tests.support.sample_nets import normalised_block

TARGET = with_layout(Target("cpu", vector=64, instructions="any", registers=32))


def training_plan(blocks: int, channels: int = 16, without: str = "") -> Plan:
    text, bottom = "", "x"
    for number in range(blocks):
        text += normalised_block(f"b{number}", bottom)
        bottom = f"b{number}"
    return plan_of(text, bottom, channels, without)


def plan_of(layers: str, bottom: str, channels: int = 16, without: str = "") -> Plan:
    """Of layers that make ``bottom`` of x, and a loss of it."""
    text = inputs(x=(4, channels, 16, 16), t=(4,)) + layers
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


def convolution(name: str, bottom: str, channels: int, kernel: int) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        f"convolution_param {{ num_output: {channels} kernel_size: {kernel} pad: {kernel // 2} "
        'weight_filler { type: "msra" } } }\n'
    )


def rectified(name: str) -> str:
    return f'layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'


def kept_at_loss(plan: Plan, nbytes: int) -> int:
    """How many buffers of the arena are as large, and in use when the loss is computed."""
    turn = next(i for i, launch in enumerate(plan.launches) if launch.label.startswith("loss"))
    alive = (i for i in lifetimes(plan) if i.size == nbytes and i.first < turn < i.last)
    return sum(1 for _ in alive)


def test_of_a_bottleneck_the_large_image_is_computed_again() -> None:
    """Each adds what it makes of few channels to what came in. Of four images one at most is kept,
    as they are computed one of the other."""
    text, bottom = convolution("b0", "x", 64, 1) + rectified("b0"), "b0"
    for number in range(1, 4):
        few, many, sum_ = f"a{number}", f"c{number}", f"b{number}"
        text += convolution(few, bottom, 16, 3) + rectified(few) + convolution(many, few, 64, 1)
        text += f'layer {{ name: "{many}_bn" type: "BatchNorm" bottom: "{many}" top: "{many}" }}\n'
        text += (
            f'layer {{ name: "{sum_}" type: "Eltwise" bottom: "{bottom}" bottom: "{many}" '
            f'top: "{sum_}" }}\n'
        )
        text += rectified(sum_)
        bottom = sum_
    text += convolution("last", bottom, 16, 3) + rectified("last")
    image = 4 * 4 * 64 * 16 * 16
    assert kept_at_loss(plan_of(text, "last"), image) <= 1
    assert kept_at_loss(plan_of(text, "last", without="recompute"), image) >= 6


def test_channels_are_put_together_again() -> None:
    """Parts are kept, as backward reads them; what they are together is not."""
    text = "".join(
        convolution(name, "x", 16, kernel) + rectified(name)
        for name, kernel in (("one", 1), ("three", 3), ("five", 5))
    )
    text += 'layer { name: "all" type: "Concat" bottom: "one" bottom: "three" bottom: "five" '
    text += 'top: "all" }\n' + convolution("last", "all", 16, 3) + rectified("last")
    image = 4 * 4 * 16 * 16 * 16
    for without, kept in (("", 0), ("recompute", 1)):
        plan = plan_of(text, "last", without=without)
        assert kept_at_loss(plan, 3 * image) == kept
        assert kept_at_loss(plan, image) >= 3

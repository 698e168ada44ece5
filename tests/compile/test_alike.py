"""Groups that differ in names alone are lowered once, and launched as if each had been."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from compiler.bundles.bundling import with_bundles
from compiler.c.lower import lower_to_c
from compiler.kernel import Launch
from compiler.kernel_nodes import kernel_nodes
from compiler.kernels.alike import structure
from compiler.kernels.launch import Printed
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.plan.from_graph import plan_graph
from compiler.target import GENERIC, Target
from compiler.triton.lower import lower_node
from ir.graph import Graph, Node
from ir.size import Evaluation
from ir.text import parse_graph
from tests.support import program_kernels
from tests.support.lowering import inputs, lowered


def layers(name: str, bottom: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        "convolution_param { num_output: 4 kernel_size: 3 pad: 1 "
        'weight_filler { type: "xavier" } } }\n'
        f'layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}_relu" }}\n'
    )


def net(names: str) -> Graph:
    """Forward and backward of a net of so many layers."""
    text = inputs(x=(2, 4, 8, 8), t=(2,))
    bottom = "x"
    for name in names:
        text += layers(name, bottom)
        bottom = f"{name}_relu"
    text += (
        f'layer {{ name: "ip" type: "InnerProduct" bottom: "{bottom}" top: "ip" '
        'inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    )
    return program_kernels.training_graph(program_kernels.general(lowered(text)))


Lower = Callable[[Node, CompileOptions, AsNumber, Printed], Sequence[Launch]]
CPU = Target("cpu", vector=64, instructions="any", registers=32)
BACKENDS = pytest.mark.parametrize(
    ("lower", "options"),
    [(lower_node, CompileOptions(GENERIC)), (lower_to_c, CompileOptions(CPU))],
    ids=["cuda", "cpu"],
)


class Counted:
    def __init__(self, lower: Lower) -> None:
        self.lower = lower
        self.labels: list[str] = []

    def __call__(
        self, node: Node, options: CompileOptions, number: AsNumber, known: Printed
    ) -> Sequence[Launch]:
        launches = self.lower(node, options, number, known)
        self.labels += [launch.label for launch in launches]
        return launches


@BACKENDS
def test_more_layers_alike_are_not_lowered_again(lower: Lower, options: CompileOptions) -> None:
    few, many = Counted(lower), Counted(lower)
    GraphCompiler(net("abc"), few, options).at()
    compiled = GraphCompiler(net("abcdefg"), many, options).at()
    assert len(many.labels) == len(few.labels)
    assert "f_relu" in " ".join(launch.label for launch in compiled.launches)


@BACKENDS
def test_they_are_planned_as_if_each_had_been(lower: Lower, options: CompileOptions) -> None:
    compiler = GraphCompiler(net("abc"), lower, options)
    compiled = compiler.at()
    number = Evaluation(compiled.values).size
    each = {node: lower(node, options, number, {}) for node in kernel_nodes(compiler.graph)}
    alone = [launch for launches in each.values() for launch in launches]
    plan, launches = with_bundles(plan_graph(compiler.graph, each), alone, number)
    assert compiled.general == plan
    assert [x.readable() for x in compiled.alone] == [x.readable() for x in alone]
    assert compiled.launches == launches


def test_what_is_equal_but_printed_otherwise_is_not_alike() -> None:
    def node(number: str) -> Node:
        text = (
            "graph g {\n  input %x: f32[4] data\nforward:\n"
            f'  %y: f32[4] = fused(%x) label="y" schedule="flat" body=y {{\n'
            "    input %x: f32[4] data\n"
            f"    %y: f32[4] = map(%x) {{max(a0, {number})}}\n"
            "    output %y: f32[4] result\n  }\n"
            "  output %y: f32[4] result\n}\n"
        )
        return parse_graph(text).nodes[0]

    assert structure(node("0.0")) == structure(node("0.0"))
    assert structure(node("0.0")) != structure(node("-0.0"))

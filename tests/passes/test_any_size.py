"""Passes on a program with symbols give what they give for numbers, put at these."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compiler.options import CompileOptions
from compiler.passes.context import context_for
from compiler.passes.freeze import freeze
from compiler.passes.registry import default_passes
from compiler.pipeline import run_passes
from ir.graph import Graph
from ir.graph_sizes import graph_at_hand, graph_symbols
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from ir.text import format_graph, parse_graph
from ir.verify import verify
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.lowering import inputs, lowered
from tests.support.program_kernels import training_graph
from tests.support.sample_nets import (
    conv,
    deconv,
    fully_convolutional,
    inception,
    layer,
    lenet,
    pool,
    residual,
)

OPTIONS = CompileOptions()
OPTIMISING = CompileOptions(passes=[p for p in default_passes(OPTIONS.target) if p != "fuse"])

NETS = {
    "lenet": lenet(64),
    "fully convolutional": fully_convolutional(2, 40, 48),
    "inception": inception(2, 14),
    "residual": residual(),
}


def trained(program: NetProgram) -> Graph:
    return run_passes(training_graph(program), OPTIMISING)


def frozen(program: NetProgram) -> Graph:
    return freeze(program.graph, context_for(program.graph, OPTIONS))[1]


def fused(program: NetProgram) -> Graph:
    return run_passes(training_graph(program), OPTIONS)


def check(program: NetProgram, passes: Callable[[NetProgram], Graph]) -> Graph:
    found = passes(program.symbolic())
    verify(found)
    # The number 1 is no extent that something is repeated along; a symbol that is 1 is one.
    if all(symbol.value != 1 for symbol in graph_symbols(found)):
        assert format_graph(graph_at_hand(found)) == format_graph(passes(program))
    return found


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_backward_and_optimising_a_layer(case: LayerCase) -> None:
    program = lowered(case.prototxt, case.phase)
    check(program, trained)
    check(program, frozen)


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
@pytest.mark.parametrize("passes", [trained, frozen, fused])
@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_a_net(net: str, passes: Callable[[NetProgram], Graph], phase: str) -> None:
    found = check(lowered(net, phase), passes)
    assert next(symbol.key for symbol in graph_symbols(found)) == "N"
    text = format_graph(found)
    again = parse_graph(text)
    verify(again)
    assert format_graph(again) == text


@pytest.mark.parametrize("passes", [trained, frozen, fused])
def test_one_image_and_many(passes: Callable[[NetProgram], Graph]) -> None:
    one, many = (
        format_graph(passes(lowered(fully_convolutional(count, 33, 65)).symbolic()))
        for count in (1, 100)
    )
    assert one.replace("size N = 1\n", "size N = 100\n") == many


def test_what_must_be_equal_is_so_by_its_form() -> None:
    """Down and up again gives the size of an image that was even, and of no other."""
    down_and_up = (
        pool("p", "x", "kernel_size: 2 stride: 2")
        + deconv("up", "p", 3, 2, "stride: 2")
        + layer("sum", "Eltwise", "x up")
        + conv("c", "sum", 2, 3)
    )
    program = lowered(inputs(x=(2, 3, 16, 24)) + down_and_up)
    assert str(program.symbolic().graph.inputs[0].value.type) == "f32[N,3,2 * H,2 * W]"
    check(program, fused)
    with pytest.raises(OtherSizes, match="Eltwise"):
        program.at({"x": (2, 3, 15, 24)})


def test_what_must_be_equal_is_in_the_text() -> None:
    shaped = layer("flat", "Flatten", "x") + layer("sum", "Eltwise", "flat y")
    program = lowered(inputs(x=(2, 3, 4, 6), y=(2, 72)) + shaped)
    text = format_graph(program.symbolic().graph)
    assert "  where 3 * H * W == 72\n" in text
    graph = parse_graph(text)
    verify(graph)
    assert format_graph(graph) == text
    with pytest.raises(ValueError, match="what holds of sizes"):
        parse_graph(text.replace("W == 72", "W == 73"))
    check(program, fused)
    assert program.at({"x": (2, 3, 8, 3), "y": (2, 72)}).blobs["sum"][0].shape == (2, 72)


def test_an_image_with_too_many_axes_is_of_one_size() -> None:
    """Its number of elements, as a sum of products, would have thousands of terms."""
    net = inputs(x=(2, 3, *[4] * 14)) + layer(
        "c", "Convolution", "x", "convolution_param { num_output: 2 kernel_size: 2 }"
    )
    net += layer("flat", "Flatten", "c")
    assert lowered(net).sizes is None

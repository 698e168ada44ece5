"""Folding into weights, and constants computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from compiler.passes.autodiff import drop_stop_gradient
from compiler.passes.context import PassContext
from compiler.passes.freeze import affine, fold_affine, freeze
from compiler.passes.fuel import Fuel
from compiler.passes.simplify import simplify
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role, Value
from ir.interpret import run_graph
from ir.op import Property
from ir.ops.host import HostCall
from ir.text import parse_graph
from ir.types import TensorType
from ir.verify import verify

CELLS = (Role.PARAMETER, Role.STATE)


def run_frozen(prepare: Graph, main: Graph, graph: Graph, inputs: list[np.ndarray]):
    given = {p.name: a for p, a in zip(graph.inputs, inputs, strict=True)}
    once = run_graph(prepare, [given[p.name] for p in prepare.inputs])
    given.update(zip((p.name for p in prepare.outputs), once, strict=True))
    return run_graph(main, [given[p.name] for p in main.inputs])


def check(graph: Graph, fuel: Fuel | None = None) -> Graph:
    """Freeze, compare results, and return what runs every time."""
    prepare, main = freeze(graph, PassContext(fuel=fuel or Fuel()))
    verify(prepare)
    verify(main)
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0.5, 1.5, p.value.shape) for p in graph.inputs]
    expected = run_graph(graph, inputs)
    for a, b in zip(run_frozen(prepare, main, graph, inputs), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    assert {p.role for p in prepare.inputs} <= set(CELLS)
    return main


def ops(graph: Graph) -> list[str]:
    return [n.op.name for n in graph.nodes if not n.op.properties & Property.VIEW]


NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 6 dim: 5 } } }
layer { name: "conv" type: "TYPE" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 bias_term: BIAS group: GROUP } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 5 } }
layer { name: "power" type: "Power" bottom: "ip" top: "ip" power_param { scale: 3 shift: 0.5 } }
"""


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize("bias", ["true", "false"])
def test_statistics_go_into_the_weights(kind: str, bias: str) -> None:
    text = NET.replace("TYPE", kind).replace("BIAS", bias).replace("GROUP", "1")
    program = lower_layers(parse_text(text, "NetParameter", "net.prototxt"), "TEST").program
    main = check(drop_stop_gradient(program.graph))
    contraction = "conv" if kind == "Convolution" else "conv_input_grad"
    assert ops(main) == ["pad", contraction, "map", "map", "matmul", "map"]  # a fourth channel
    assert not any(p.role is Role.STATE for p in main.inputs)


def test_with_any_fuel_the_results_stay() -> None:
    text = NET.replace("TYPE", "Convolution").replace("BIAS", "true").replace("GROUP", "1")
    graph = lower_layers(parse_text(text, "NetParameter", "net.prototxt"), "TEST").program.graph
    check(graph, fuel := Fuel())
    told = []
    for limit in range(fuel.spent + 1):
        check(graph, Fuel(limit, told.append))
    (folded,) = (line for line in told if "(conv, net.prototxt:4)" in line and "fold" in line)
    assert folded.partition(": ")[2].startswith("fold_affine: folded %conv.2 (scale, net.")


def test_channels_of_groups_fold_where_they_are_whole() -> None:
    text = NET.replace("TYPE", "Convolution").replace("BIAS", "true").replace("GROUP", "1")
    text = text.replace("dim: 3 dim: 6", "dim: 4 dim: 6").replace("group: 1", "group: 2")
    program = lower_layers(parse_text(text, "NetParameter", "net.prototxt"), "TEST").program
    assert ops(check(drop_stop_gradient(program.graph)))[:3] == ["conv", "map", "map"]


def test_what_others_read_is_left_alone() -> None:
    graph = parse_graph("""graph net {
      input %x: f32[4,3] data
      input %w: f32[3,2] parameter
      input %s: f32[1,2] parameter
      %y: f32[4,2] = matmul(%x, %w)
      %z: f32[4,2] = map(%y, %s) {mul(a0, a1)}
      %u: f32[4,2] = map(%y, %z) {add(a0, a1)}
      output %u: f32[4,2] result
    }""")
    assert fold_affine(graph) is graph
    check(graph)


def test_data_is_taken_though_nothing_reads_it() -> None:
    main = check(
        parse_graph("""graph net {
      input %x: f32[4,3] data
      input %w: f32[3,2] parameter
      %y: f32[3,2] = map(%w) {exp(a0)}
      output %y: f32[3,2] result
    }""")
    )
    assert [p.name for p in main.inputs] == ["x", "frozen:y"] and not main.nodes


@pytest.mark.parametrize(
    "reader",
    [
        "map(%y, %y) {add(mul(a0, 2.0), a1)}",
        "map(%y, %row) {mul(a0, a1)}",
        "map(%y, %all) {mul(a0, a1)}",
        "map(%y) {mul(a0, to_float(i1))}",
        "map(%y, %s) {div(a1, a0)}",
        "map(%s, %s) {mul(a0, a1)} shape=(4,2)",
    ],
)
def test_what_is_not_affine_for_each_channel_is_left_alone(reader: str) -> None:
    graph = parse_graph(
        """graph net {
      input %x: f32[4,3] data
      input %w: f32[3,2] parameter
      input %s: f32[1,2] parameter
      input %row: f32[4,1] parameter
      input %all: f32[4,2] parameter
      %y: f32[4,2] = matmul(%x, %w)
      %z: f32[4,2] = READER
      output %z: f32[4,2] result
    }""".replace("READER", reader)
    )
    assert fold_affine(graph) is graph
    check(graph)


def test_variables_that_the_graph_writes_are_no_constants() -> None:
    graph = parse_graph("""graph net {
      input %x: f32[4,3] data
      input %s: f32[1,3] state
      %t: f32[1,3] = map(%s) {mul(a0, 2.0)}
      %y: f32[4,3] = map(%x, %t) {mul(a0, a1)}
      output %y: f32[4,3] result
      output %t: f32[1,3] state "s"
    }""")
    prepare, main = freeze(graph)
    assert not prepare.nodes and ops(main) == ops(simplify(graph))


def test_what_the_host_does_is_done_in_every_pass() -> None:
    """Though it takes nothing but variables, or nothing at all."""
    calls: list[str] = []
    b = Builder("net")
    w = b.input("w", TensorType((3,)), Role.PARAMETER)

    def call(name: str, *inputs: Value, results: int = 1) -> tuple[Value, ...]:
        def forward(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            calls.append(name)
            return [np.ones(3)] * results

        return b.emit_all(HostCall(name, (w.type,) * results, forward), *inputs)

    for name, inputs in (("of variables", (w,)), ("of nothing", ())):
        (made,) = call(name, *inputs)
        b.output(name, made)
    call("file", w, results=0)
    graph = b.finish()
    prepare, main = freeze(graph)
    assert not prepare.nodes
    run_graph(main, [np.ones(3)])
    assert calls == ["of variables", "of nothing", "file"]


def test_a_variable_that_is_only_written_stays() -> None:
    main = check(
        parse_graph("""graph net {
      input %x: f32[3] data
      input %s: f32[3] state
      %y: f32[3] = map(%x) {mul(a0, 2.0)}
      output %y: f32[3] state "s"
    }""")
    )
    assert main.input("s").role is Role.STATE


def test_affine_parts() -> None:
    x, a, b = e.arg(0), e.arg(1), e.arg(2)
    assert affine((x + a) * b, x) == (b, a * b)
    assert affine((a - x) / b, x) == (e.const(-1.0) / b, a / b)
    assert affine(-(x * 2.0) + x, x) is not None
    assert affine(x * x, x) is None
    assert affine(e.exp(x), x) is None
    assert affine(a / x, x) is None
    assert affine(a * b, x) == (e.const(0.0), a * b)

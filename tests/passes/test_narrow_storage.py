"""What is stored in 16 bits between kernels, and what stays float32."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from compiler.image_layout import ROW_MAJOR
from compiler.options import CompileOptions
from compiler.partitions import frozen
from compiler.passes.precision.loss_scale import LOSS_SCALE
from compiler.pipeline import run_passes, verify_each
from compiler.precision import narrow_type
from compiler.target import GENERIC
from ir.graph import Direction, Graph, Node, Port, Role, Value
from ir.interpret import run_graph
from ir.op import Property
from ir.ops.fusion import Fused
from ir.text import format_graph, parse_graph
from ir.types import BF16, F16, F32, TensorType
from ir.verify import verify
from tests.support import sample_nets
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun
from tests.support.program_kernels import training_graph
from tests.support.training_run import lowered

NETS = {
    "lenet": sample_nets.lenet(2),
    "residual": sample_nets.residual(),
    "inception": sample_nets.inception(2, 6),
    "recurrent": sample_nets.recurrent(),
    "dropouts": sample_nets.dropouts(),
    "siamese": sample_nets.siamese(),
}
ERRORS = {"bfloat16": 2e-2, "float16": 3e-3}


def options(precision: str = "bfloat16", **more: object) -> CompileOptions:
    return replace(CompileOptions(precision=precision), **more)  # type: ignore[arg-type]


def scaled(graph: Graph) -> Graph:
    """As one whose diffs are scaled: the port is there."""
    port = Port(LOSS_SCALE, Value(LOSS_SCALE, TensorType((1,))), Role.HYPER)
    return replace(graph, inputs=(*graph.inputs, port))


def narrow(net: str, precision: str) -> Graph:
    graph = scaled(training_graph(lowered(NETS[net])))
    return run_passes(graph, options(precision), [verify_each])


def groups(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if isinstance(node.op, Fused)]


def products(graph: Graph) -> list[Node]:
    return [
        inner
        for node in groups(graph)
        for inner in node.op.body.nodes  # type: ignore[attr-defined]
        if inner.op.properties & Property.CONTRACTION
    ]


@pytest.mark.parametrize("precision", ERRORS)
@pytest.mark.parametrize("net", NETS)
def test_ports_statistics_and_gradients_stay_float32(net: str, precision: str) -> None:
    graph, dtype = narrow(net, precision), narrow_type(precision)
    ports = [*graph.inputs, *graph.outputs]
    assert not any(port.value.type.dtype.is_narrow for port in ports)
    for node in groups(graph):
        for value in node.outputs:
            if value.type.dtype is dtype:
                assert sum(extent > 1 for extent in value.shape) > 1 or "." in value.name
                assert node.op.schedule != "reduce"  # type: ignore[attr-defined]
    assert all(v.type.dtype is dtype for node in products(graph) for v in node.inputs)
    assert {node.output.type.dtype for node in products(graph)} <= {F32}
    assert parse_graph(format_graph(graph)) is not None
    again = run_passes(graph, options(precision, passes=("precision",)))
    assert format_graph(again) == format_graph(graph)


def test_a_net_in_detail() -> None:
    """In the order that weights come in: to lay them out casts them on the way."""
    rows = replace(GENERIC, layout=ROW_MAJOR)
    source = training_graph(lowered(NETS["lenet"]))
    graph = run_passes(scaled(source), options(target=rows), [verify_each])
    kept = {v.name: v.type.dtype for node in graph.nodes for v in node.outputs}
    assert kept["pool1"] is kept["d_conv2"] is kept["ip1.1"] is kept["d_ip2"] is BF16
    assert kept["ip2"] is F32  # what an exponential is taken of
    labels = [node.op.label for node in groups(graph)]  # type: ignore[attr-defined]
    casts = [label for label in labels if label.startswith("cast_")]
    # Every weight that is a factor, and what comes in, once a step.
    assert Counter(casts) == Counter(
        ["cast_data", "cast_conv1_0", "cast_conv2_0", "cast_ip1_0", "cast_ip2_0"]
    )
    plain = run_passes(source, options("float32", target=rows))
    assert len(graph.nodes) == len(plain.nodes) + len(casts)
    for precision in ("float32", "tf32", "ieee"):
        same = run_passes(source, options(precision, target=rows))
        assert format_graph(same) == format_graph(plain)


def test_sums_in_a_products_kernel_are_of_what_it_stores() -> None:
    """As those of a kernel that reads it."""
    found = 0
    for node in groups(narrow("residual", "bfloat16")):
        body = node.op.body  # type: ignore[attr-defined]
        if node.op.schedule != "contract":  # type: ignore[attr-defined]
            continue
        for sums in (n for n in body.nodes if n.op.fold is not None):
            product = next(n for n in body.nodes if n.op.properties & Property.CONTRACTION)
            stored = {p.value for p in body.outputs if p.value.type.dtype is BF16}
            found += bool(stored)
            assert product.output not in _reached(body, sums.inputs[0], stored)
    assert found > 3


def _reached(body: Graph, value: Value, end: set[Value]) -> set[Value]:
    """All that a value is computed from, as far as ``end``."""
    reached, waiting = set(), [value]
    while waiting:
        value = waiting.pop()
        reached.add(value)
        if value in body.producers and value not in end:
            waiting += body.producers[value].inputs
    return reached


def test_activations_and_diffs_take_half_the_bytes() -> None:
    def moved(graph: Graph) -> int:
        values = [v for node in groups(graph) for v in (*node.inputs, *node.outputs)]
        return sum(v.type.nbytes for v in values if v.type.rank == 4 and v.shape[0] == 64)

    graph = training_graph(lowered(sample_nets.lenet(64)))
    plain = run_passes(graph, options("float32"))
    assert moved(run_passes(graph, options())) < 0.6 * moved(plain)


@pytest.mark.parametrize("precision", ERRORS)
@pytest.mark.parametrize("net", ["residual", "recurrent", "dropouts", "siamese"])
def test_results_differ_by_rounding(net: str, precision: str) -> None:
    program = lowered(NETS[net])
    plain = training_graph(program)
    rng = np.random.default_rng(0)
    arrays = []
    for port in plain.inputs:
        whole = not port.value.type.dtype.is_float or "label" in port.name or "cont" in port.name
        numbers = (
            rng.integers(0, 2, port.value.shape) if whole else rng.standard_normal(port.value.shape)
        )
        arrays.append(np.asarray(numbers, port.value.type.dtype.numpy))
    exact = run_graph(plain, arrays)
    found = run_graph(narrow(net, precision), [*arrays, np.ones(1, np.float32)])
    for port, ours, theirs in zip(plain.outputs, found, exact, strict=True):
        assert ours.dtype == theirs.dtype
        if port.role is Role.RESULT:
            np.testing.assert_allclose(ours, theirs, rtol=ERRORS[precision], err_msg=port.name)


def test_diffs_of_float16_need_a_scale() -> None:
    """Without one their products are float32's."""
    graph = run_passes(training_graph(lowered(NETS["residual"])), options("float16"), [verify_each])
    for node in groups(graph):
        backward = node.direction is Direction.BACKWARD
        assert not (backward and any(v.type.dtype is F16 for v in node.outputs))
    kinds = {(n.direction, v.type.dtype) for n in products(graph) for v in n.inputs}
    assert kinds == {(Direction.FORWARD, F16), (Direction.BACKWARD, F32)}


@pytest.mark.parametrize("precision", ERRORS)
@pytest.mark.parametrize("layout", ["row-major", "channels-last"])
def test_weights_that_never_change_are_cast_once(precision: str, layout: str) -> None:
    program = lowered(sample_nets.fully_convolutional(2, 8, 8))
    chosen, dtype = options(precision), narrow_type(precision)
    chosen = replace(chosen, target=replace(chosen.target, layout=layout))
    once, rest = frozen(program.graph, chosen)
    verify(once)
    weights = {port.value for port in rest.inputs if port.value.type.dtype is dtype}
    assert weights and {port.value.type.dtype for port in once.outputs} >= {dtype}
    graph = run_passes(rest, chosen, [verify_each])
    read = {v for node in products(graph) for v in node.inputs}
    assert {v.type.dtype for v in read} == {dtype}
    casts = [n for n in groups(graph) if n.op.label.startswith("cast_")]  # type: ignore[attr-defined]
    assert {v.name for n in casts for v in n.inputs} <= set(program.inputs)
    same = run_passes(once, chosen, [verify_each])  # what is computed once is not rounded twice
    assert {v.type.dtype for n in groups(same) for v in n.inputs} == {F32}


def test_what_decides_stays_float32() -> None:
    """Scores that are put in order, as far back as the product."""
    source = parse_graph("""graph g {
      input %x: f32[2,8,6,6] data
      input %w: f32[3,8,3,3] parameter
      %a: f32[2,3,4,4] = conv(%x, %w) stride=(1,1) pad=(0,0) dilation=(1,1) group=1
      %t: f32[2,4,4,3] = transpose(%a) order=(0,2,3,1)
      %s: f32[2,48] = reshape(%t) shape=(2,48)
      %p: f32[2,50] = pad(%s) low=(0,0) high=(0,2) value=0.0
      %best: f32[2,7] , %place: i32[2,7] = topk(%p) k=7
      output %place: i32[2,7] result
    }""")
    graph = run_passes(source, options(), [verify_each])
    assert not any(v.type.dtype.is_narrow for v in graph.values() if v.name[0] in "atsp")
    assert {v.type.dtype for node in products(graph) for v in node.inputs} == {BF16}


DECIDING = ("detection_output", "proposal")
"""What names of records of layers that decide have in common."""


@pytest.mark.parametrize("case", [c for c in all_cases() if any(d in c.name for d in DECIDING)])
def test_detections_are_those_of_float32(case: LayerCase) -> None:
    """Row by row: which boxes there are, in which order."""
    run = LayerRun(case)
    plain = run.program.graph
    types = [port.value.type.dtype.numpy for port in plain.inputs]
    values = [run.values[port.name] for port in plain.inputs]  # doubles would not be rounded
    arrays = [value.astype(dtype) for value, dtype in zip(values, types, strict=True)]
    exact = run_graph(plain, arrays)
    found = run_graph(run_passes(plain, options(), [verify_each]), arrays)
    assert exact
    for port, ours, theirs in zip(plain.outputs, found, exact, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=port.name)


def test_every_rewrite_less_is_a_graph_too() -> None:
    graph = scaled(training_graph(lowered(NETS["residual"])))
    fused = run_passes(graph, options("float32"))
    texts = set()
    for fuel in range(0, 40, 3):
        made = run_passes(fused, options(passes=("precision",), fuel=fuel), [verify_each])
        texts.add(format_graph(made))
    assert len(texts) > 8

"""Every op: its reference does what its type rule says, and its gradient is the derivative."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ir.ops  # noqa: F401  (registers the ops)
from compiler.passes.autodiff import differentiate
from ir.build import Builder
from ir.graph import Graph
from ir.interpret import run_graph
from ir.op import OPS, Property
from ir.text import format_graph, parse_graph
from ir.types import TensorType
from tests.support.op_cases import ErrorCase, OpCase, all_cases, all_errors

CASES = all_cases()
ERRORS = all_errors()


def graph_of(case: OpCase) -> Graph:
    b = Builder(case.op.name)
    inputs = [b.input(f"x{i}", x.type) for i, x in enumerate(case.inputs)]
    given = zip(inputs, case.inputs, strict=True)
    inputs = [b.copy(value, x.layout) if x.layout else value for value, x in given]
    for i, value in enumerate(b.emit_all(case.op, *inputs)):
        b.output(f"y{i}", value)
    return b.finish()


def arrays_of(case: OpCase) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [x.array(rng) for x in case.inputs]


def test_every_op_has_a_record() -> None:
    missing = set(OPS) - {c.op.name for c in CASES}
    assert not missing, f"no record in tests/ir/records for {', '.join(sorted(missing))}"


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("single", [False, True], ids=["f64", "f32"])
def test_reference_gives_the_inferred_types(case: OpCase, single: bool) -> None:
    arrays = arrays_of(case)
    if single:
        arrays = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    types = case.op.infer([x.type for x in case.inputs])
    results = case.op.reference(arrays, types)
    assert len(results) == len(types)
    for array, expected in zip(results, types, strict=True):
        assert array.shape == expected.shape
        if single or not expected.dtype.is_float:
            assert array.dtype == expected.dtype.numpy


@pytest.mark.parametrize("case", CASES, ids=str)
def test_single_precision_agrees_with_double(case: OpCase) -> None:
    arrays = arrays_of(case)
    rounded = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    exact = [a.astype(np.float64) if a.dtype == np.float32 else a for a in rounded]
    types = case.op.infer([x.type for x in case.inputs])
    for a, b in zip(
        case.op.reference(rounded, types), case.op.reference(exact, types), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable], ids=str)
def test_gradient_is_the_derivative(case: OpCase) -> None:
    """d/dh f(x + h v) in a random direction v, for f = sum of u * results with random u."""
    graph = graph_of(case)
    arrays = arrays_of(case)
    rng = np.random.default_rng(2)
    whole = differentiate(
        graph, diffs={f"x{i}": graph.inputs[i].value for i in case.differentiable}
    )
    outputs = [p.value for p in graph.outputs]
    weights = [rng.standard_normal(v.shape) for v in outputs if v.type.dtype.is_float]
    found = run_graph(whole, [*arrays, *weights])[len(outputs) :]
    directions = {i: rng.standard_normal(arrays[i].shape) for i in case.differentiable}
    step = 1e-6

    def value(h: float) -> float:
        moved = [a + h * directions[i] if i in directions else a for i, a in enumerate(arrays)]
        results = run_graph(graph, moved)
        floats = [r for r, v in zip(results, outputs, strict=True) if v.type.dtype.is_float]
        return sum(float((w * r).sum()) for w, r in zip(weights, floats, strict=True))

    slope = (value(step) - value(-step)) / (2 * step)
    predicted = 0.0
    for i, gradient in zip(case.differentiable, found, strict=True):
        assert np.abs(gradient).max() > 0, f"the gradient of input {i} is all zero"
        predicted += float((gradient * directions[i]).sum())
    assert predicted == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_flows_where_there_is_no_derivative(case: OpCase) -> None:
    graph = graph_of(case)
    flat = [i for i, x in enumerate(case.inputs) if i not in case.differentiable]
    wanted = {f"x{i}": graph.inputs[i].value for i in flat if case.inputs[i].dtype.is_float}
    whole = differentiate(graph, diffs=wanted)
    weights = [np.ones(p.value.shape) for p in whole.inputs[len(graph.inputs) :]]
    for array in run_graph(whole, [*arrays_of(case), *weights])[len(graph.outputs) :]:
        assert not array.any()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_attributes_survive_the_text_form(case: OpCase) -> None:
    text = format_graph(graph_of(case))
    again = parse_graph(text)
    assert format_graph(again) == text
    if not case.op.properties & Property.HOST and case.op.name not in ("fused", "loop"):
        assert again.nodes[-1].op == case.op


@pytest.mark.parametrize("case", ERRORS, ids=str)
def test_type_rules_refuse(case: ErrorCase) -> None:
    with pytest.raises(TypeError) as caught:
        case.op.infer(case.inputs)
    assert case.message in str(caught.value)


def test_every_op_with_a_type_rule_has_error_inputs() -> None:
    anything = {"host_call"}  # its result types are its own attribute
    assert set(OPS) - {c.op.name for c in ERRORS} == anything


def test_infinite_numbers_are_no_news() -> None:
    b = Builder("net")
    x = b.input("x", TensorType((2, 2)))
    b.output("y", b.matmul(x, x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (y,) = run_graph(b.finish(), [np.full((2, 2), 3e38, np.float32)])
    assert np.isinf(y).all()

"""Floats of 16 bits: how arrays hold them, and every op on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler.passes.autodiff import differentiate
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Node, Value
from ir.interpret import run_graph, run_node
from ir.narrow import as_stored, narrowed, widened
from ir.op import Property
from ir.ops.movement import Concat
from ir.ops.pointwise import Map
from ir.text import format_graph, parse_graph
from ir.types import BF16, F16, F32, DType, TensorType
from ir.verify import InvalidGraph, verify
from tests.support.op_cases import OpCase, narrow_cases

NARROW = (F16, BF16)


def test_bfloat16_rounds_to_nearest_of_ties_to_even() -> None:
    one = 1 + 2.0**-7  # the number after 1
    numbers = [1 + 2.0**-8, one + 2.0**-8, 1 + 2.0**-8 + 2.0**-20, -one, 3.4e38, 0.0, -0.0]
    expected = [1.0, 1 + 2.0**-6, one, -one, np.inf, 0.0, -0.0]
    found = as_stored(np.array(numbers, np.float32), BF16)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
    assert np.signbit(found[-1])
    odd = np.array([np.nan, np.inf, -np.inf, 1e-45], np.float32)
    np.testing.assert_array_equal(as_stored(odd, BF16), [np.nan, np.inf, -np.inf, 0.0])
    trapping = np.array([0x7F800001, 0xFF800001], np.uint32).view(np.float32)
    assert np.isnan(as_stored(trapping, BF16)).all()


@pytest.mark.parametrize("dtype", NARROW)
def test_every_number_of_16_bits_survives(dtype: DType) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    held = bits.view(dtype.numpy)
    again = narrowed(widened(held, dtype), dtype)
    strange = np.isnan(widened(held, dtype))
    np.testing.assert_array_equal(again.view(np.uint16)[~strange], bits[~strange])
    assert np.isnan(widened(again, dtype)[strange]).all()
    double = np.array([0.1])
    assert as_stored(double, dtype) is double  # what is exact stays so


CASES = narrow_cases()


def test_most_ops_take_them() -> None:
    assert {c.op.name for c in CASES} >= {
        "map", "conv", "conv_input_grad", "conv_weight_grad", "matmul", "reduce", "argextreme",
        "window_sum", "window_max", "window_scatter", "concat", "slice", "pad", "reshape",
        "transpose", "gather",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_computes_in_float32_and_stores_what_its_types_say(case: OpCase) -> None:
    rng = np.random.default_rng(1)
    types = [x.type for x in case.inputs]
    results = case.op.infer(types)
    outputs = tuple(Value(f"y{i}", t) for i, t in enumerate(results))
    node = Node(case.op, tuple(Value(f"x{i}", t) for i, t in enumerate(types)), outputs)
    drawn = [
        np.asarray(x.array(rng), np.float32 if x.dtype.is_float else None) for x in case.inputs
    ]
    held = [narrowed(a, t.dtype) for a, t in zip(drawn, types, strict=True)]
    found = run_node(node, held)
    numbers = [widened(a, t.dtype) for a, t in zip(held, types, strict=True)]
    exact = case.op.reference(numbers, results)
    for array, wanted, type in zip(found, exact, results, strict=True):
        assert array.dtype == type.dtype.numpy
        np.testing.assert_array_equal(array, narrowed(wanted, type.dtype))
    if case.op.properties & Property.CONTRACTION:
        assert [t.dtype for t in results] == [F32]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_its_text_and_its_gradient_keep_the_types(case: OpCase) -> None:
    b = Builder("one")
    values = [b.input(f"x{i}", x.type) for i, x in enumerate(case.inputs)]
    values = [
        b.copy(v, x.layout) if x.layout else v for v, x in zip(values, case.inputs, strict=True)
    ]
    for i, value in enumerate(b.emit_all(case.op, *values)):
        b.output(f"y{i}", value)
    graph = b.finish()
    verify(graph)
    assert format_graph(parse_graph(format_graph(graph))) == format_graph(graph)
    asked = {f"x{i}": graph.inputs[i].value for i in case.differentiable}
    if asked:
        verify(differentiate(graph, diffs=asked))


@pytest.mark.parametrize("dtype", NARROW)
def test_types_are_not_mixed(dtype: DType) -> None:
    narrow, wide = TensorType((2, 3), dtype), TensorType((2, 3))
    for types in ((narrow, wide), (wide, narrow)):
        with pytest.raises(TypeError):
            Concat(0).infer(types)
        with pytest.raises(TypeError, match=r"a0 is|a1 is"):
            Map((e.arg(0) + e.arg(1),)).infer(types)
    b = Builder()
    x = b.input("x", narrow)
    b.output("y", b.cast(x, F32))
    graph = b.finish()
    verify(graph)
    wrong = replace(graph.nodes[0], op=Map((e.arg(0),)))
    with pytest.raises(InvalidGraph, match=f"a0 is {dtype}, the expression takes f32"):
        verify(Graph("g", graph.inputs, (wrong,), graph.outputs))


def test_double_precision_rounds_nothing() -> None:
    b = Builder()
    x = b.input("x", TensorType((3,)))
    b.output("y", b.cast(b.cast(x, BF16), F32))
    graph = b.finish()
    numbers = np.array([0.1, 1.001, -3.3])
    np.testing.assert_array_equal(run_graph(graph, [numbers])[0], numbers)
    single = run_graph(graph, [numbers.astype(np.float32)])[0]
    assert single.dtype == np.float32 and not np.array_equal(single, numbers.astype(np.float32))

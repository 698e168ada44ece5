"""Ops with kernels of their own: scatter-add and top-k."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runner import check, fused, random_inputs, single

from ir.ops.gather import ScatterAdd
from ir.ops.sort import TopK
from ir.types import I32, TensorType


@pytest.mark.parametrize(
    ("count", "width", "number"), [(5, 3, 7), (4, 70, 40), (3, 1, 1), (2, 4, 0)]
)
def test_scatter_add(count: int, width: int, number: int) -> None:
    node = single(ScatterAdd(count), (number, width), TensorType((number,), I32))
    g, _ = random_inputs(node)
    rows = np.random.default_rng(1).integers(-1, count + 1, number).astype(np.int32)
    check(node, [g, rows])


def test_scatter_add_walks_along_its_own_rows() -> None:
    """Numbers are put in order once: no program of the sums looks at all of them."""
    node = single(ScatterAdd(9), (40, 70), TensorType((40,), I32))
    order, ends, sums = check(node)
    assert [x.kernel.entry for x in (order, ends, sums)] == [
        "rank_rows", "bound_rows", "scatter_add",
    ]  # fmt: skip
    numbers = node.inputs[1]
    assert numbers in order.arguments and numbers not in sums.arguments
    assert 40 not in sums.arguments


@pytest.mark.parametrize("number", [0, 3, -1, 9])
def test_scatter_add_of_one_number(number: int) -> None:
    """All rows have one, which may be none of the result's."""
    node = single(ScatterAdd(4), (33, 5), TensorType((33,), I32))
    g, _ = random_inputs(node)
    check(node, [g, np.full(33, number, np.int32)])


@pytest.mark.parametrize(
    ("shape", "k"),
    [((3, 7), 1), ((3, 7), 7), ((2, 3, 5), 2), ((2, 300), 3), ((6,), 4), ((1, 1), 1)],
)
def test_top_k(shape: tuple[int, ...], k: int) -> None:
    node = single(TopK(k), shape)
    (x,) = random_inputs(node)
    check(node, [x])
    x = np.round(x)  # ties
    x.flat[0] = -0.0
    check(node, [x])


def test_top_k_puts_nan_first() -> None:
    x = np.array([[1.0, np.nan, np.inf, -np.inf, 0.0, -0.0, -np.nan]], np.float32)
    check(single(TopK(7), x.shape), [x])


def test_top_k_of_integers() -> None:
    x = np.array([[3, -5, 3, 2**31 - 1, -(2**31)]], np.int32)
    check(single(TopK(5), TensorType((1, 5), I32)), [x])


@pytest.mark.parametrize("wanted", [0, 1])
def test_one_result_of_top_k(wanted: int) -> None:
    node = fused(lambda b, x: b.emit_all(TopK(2), x)[wanted], (3, 5), schedule="single")
    (launch,) = check(node)
    assert launch.kernel.source.count("tl.store(") == 1

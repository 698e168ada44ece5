"""Ops with kernels of their own: scatter-add and top-k."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runner import check, fused, random_inputs, single

from ir.ops.gather import ScatterAdd
from ir.ops.sort import TopK
from ir.types import F32, I32, TensorType


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
    [
        *[((3, 7), 1), ((3, 7), 7), ((2, 3, 5), 2), ((2, 300), 3), ((6,), 4), ((1, 1), 1)],
        *[((2, 300), 25), ((2, 2, 70), 70), ((1, 600), 599), ((130,), 65)],
    ],
)
@pytest.mark.parametrize("tie", ["first", "last"])
def test_top_k(shape: tuple[int, ...], k: int, tie: str) -> None:
    node = single(TopK(k, tie), shape)
    (x,) = random_inputs(node)
    launches = check(node, [x])
    assert [launch.kernel.entry for launch in launches] == (
        ["top_k"] if k < 25 else ["take_largest", "rank_taken"]
    )
    x = np.round(x)  # ties
    x.flat[0] = -0.0
    check(node, [x])


def top_k_of(x: np.ndarray, k: int, tie: str) -> None:
    type = TensorType(x.shape, I32 if x.dtype == np.int32 else F32)
    check(single(TopK(k, tie), type), [x])


@pytest.mark.parametrize("tie", ["first", "last"])
@pytest.mark.parametrize(("times", "k"), [(1, 7), (6, 30), (6, 42)])
def test_top_k_puts_nan_first(times: int, k: int, tie: str) -> None:
    x = np.array([[1.0, np.nan, np.inf, -np.inf, 0.0, -0.0, -np.nan]], np.float32)
    top_k_of(np.tile(x, times), k, tie)


@pytest.mark.parametrize("tie", ["first", "last"])
@pytest.mark.parametrize(("times", "k"), [(1, 5), (10, 27), (10, 45), (10, 50)])
def test_top_k_of_integers(times: int, k: int, tie: str) -> None:
    x = np.array([[3, -5, 3, 2**31 - 1, -(2**31)]], np.int32)
    top_k_of(np.tile(x, times), k, tie)


@pytest.mark.parametrize("flagged", [0, 20, 40, 90])
def test_places_of_flags(flagged: int) -> None:
    flags = np.zeros((1, 90), np.int32)
    flags[0, np.random.default_rng(1).permutation(90)[:flagged]] = 1
    top_k_of(flags, 40, "first")


@pytest.mark.parametrize("share", [1, 2])
def test_top_k_of_an_unknown_number(share: int) -> None:
    """Of the width of images, which the text does not know."""
    op = lambda x: TopK((x.type.shape[-1] + share - 1) // share, "first")  # noqa: E731
    node = fused(lambda b, x: b.emit_all(op(x), x), (2, 3, 4, 90), schedule="single")
    (x,) = random_inputs(node)
    for launch in check(node, [np.round(x)]):
        assert "90" not in launch.kernel.source and "45" not in launch.kernel.source


@pytest.mark.parametrize("wanted", [0, 1])
@pytest.mark.parametrize("k", [2, 40])
def test_one_result_of_top_k(k: int, wanted: int) -> None:
    node = fused(lambda b, x: b.emit_all(TopK(k), x)[wanted], (3, 50), schedule="single")
    *_, launch = check(node)
    assert launch.kernel.source.count("tl.store(") == 1

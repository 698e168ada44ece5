"""The order of equal elements: what programs in C++ made of the same numbers.

That is std::sort of libstdc++, and luoyetx/mini-caffe's SortBBox (src/layers/proposal_layer.cpp).
"""

from __future__ import annotations

import numpy as np
import pytest

from ir.ops.introsort import IntroSort
from ir.types import I32, TensorType

MANY = [(i * 7 % 11) / 8 for i in range(100)]


@pytest.mark.parametrize(
    ("pivot", "numbers", "order"),
    [
        ("median", [1.0] * 40, [30, 21, 22, 23, 24, 25, 26, 27, 28, 29]),
        ("median", [1.0] * 16, list(range(10))),
        ("median", MANY, [36, 58, 25, 69, 14, 47, 80, 91, 3, 39, 83, 6]),
        ("first", [1.0] * 30, list(range(12))),
        ("first", MANY, [58, 25, 14, 3, 47, 36, 91, 69, 80, 39, 72, 6, 94, 28, 50, 61, 83, 17, 9]),
    ],
)
def test_equals_programs_in_cpp(pivot: str, numbers: list[float], order: list[int]) -> None:
    op = IntroSort(len(order), pivot)
    x = np.array([[0.0, *numbers]], np.float32)  # the first one is not marked
    marked = np.ones(x.shape, np.int32)
    marked[0, 0] = 0
    types = [TensorType(x.shape), TensorType(x.shape, I32), TensorType((1,), I32)]
    (places,) = op.reference([x, marked, np.ones(1, np.int32)], op.infer(types))
    np.testing.assert_array_equal(places[0] - 1, order)

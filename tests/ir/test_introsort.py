"""The order of equal elements: what std::sort of g++ 13 (libstdc++) made of the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ir.ops.introsort import IntroSort
from ir.types import I32, TensorType


@pytest.mark.parametrize(
    ("numbers", "order"),
    [
        ([1.0] * 40, [30, 21, 22, 23, 24, 25, 26, 27, 28, 29]),
        ([1.0] * 16, list(range(10))),
        ([(i * 7 % 11) / 8 for i in range(100)], [36, 58, 25, 69, 14, 47, 80, 91, 3, 39, 83, 6]),
    ],
)
def test_equals_the_standard_library(numbers: list[float], order: list[int]) -> None:
    op = IntroSort(len(order))
    x = np.array([[0.0, *numbers]], np.float32)  # the first one is not marked
    marked = np.ones(x.shape, np.int32)
    marked[0, 0] = 0
    types = [TensorType(x.shape), TensorType(x.shape, I32), TensorType((1,), I32)]
    (places,) = op.reference([x, marked, np.ones(1, np.int32)], op.infer(types))
    np.testing.assert_array_equal(places[0] - 1, order)

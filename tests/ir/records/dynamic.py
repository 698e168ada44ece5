"""Sizes that depend on data."""

import numpy as np

from ir.ops.dynamic import CountOf, NonZero
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32

CASES = [
    OpCase("some", NonZero(2, "key"), (Input((4,), lambda rng, shape: np.array([0, 3, 0, -1])),)),
    OpCase("as_many", CountOf(3, "key"), (Input((1,), lambda rng, shape: np.array([3]), I32),)),
]

ERRORS = [
    ErrorCase(NonZero(5, "key"), (f32(4),), "5 of 4 elements"),
    ErrorCase(CountOf(5, "key"), (f32(1),), "not i32[1]"),
    ErrorCase(CountOf(-1, "key"), (i32(1),), "a count of -1"),
]

"""Sizes that depend on data."""

import numpy as np

from ir.ops.dynamic import NonZero, Trim
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32, whole

CASES = [
    OpCase("some", NonZero(2, "key"), (Input((4,), lambda rng, shape: np.array([0, 3, 0, -1])),)),
    OpCase("rows", Trim(3, 0, "key"), (Input((5, 2)), Input((1,), whole(3, 4), I32))),
    OpCase("none", Trim(0, 1, "key"), (Input((1, 5, 2)), Input((1,), whole(0, 1), I32))),
]

ERRORS = [
    ErrorCase(NonZero(5, "key"), (f32(4),), "5 of 4 elements"),
    ErrorCase(Trim(3, 0, "key"), (f32(2, 3), i32(1)), "3 of"),
    ErrorCase(Trim(2, 1, "key"), (f32(2, 3), i32(1)), "inner one"),
    ErrorCase(Trim(2, 0, "key"), (f32(2, 3), f32(1)), "not i32[1]"),
]

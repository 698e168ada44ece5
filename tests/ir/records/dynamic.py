"""Sizes that depend on data."""

import numpy as np

from ir.ops.dynamic import NonZero
from tests.support.op_cases import ErrorCase, Input, OpCase, f32

CASES = [
    OpCase("some", NonZero(2, "key"), (Input((4,), lambda rng, shape: np.array([0, 3, 0, -1])),)),
]

ERRORS = [ErrorCase(NonZero(5, "key"), (f32(4),), "5 of 4 elements")]

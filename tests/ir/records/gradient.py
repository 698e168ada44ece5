"""What has a gradient of its own: here it is 0 or not clipped, as nothing else can be held against
differences."""

import numpy as np

from ir.ops.gradient import ClipDiff, DiffAs
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32


def none(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape)


CASES = [
    OpCase("rows", DiffAs(), (Input((5, 3)), Input((5, 3), none))),
    OpCase("scalar", DiffAs(), (Input(()), Input((), none))),
    OpCase("within", ClipDiff(1e3), (Input((5, 3)),), (0,)),
    OpCase("within_scalar", ClipDiff(1e3), (Input(()),), (0,)),
]

ERRORS = [
    ErrorCase(DiffAs(), (f32(5, 3), f32(3, 5)), "f32[5,3] and f32[3,5]"),
    ErrorCase(DiffAs(), (f32(5, 3), i32(5, 3)), "f32[5,3] and i32[5,3]"),
    ErrorCase(ClipDiff(0.0), (f32(5, 3),), "a limit of 0; it must be positive"),
    ErrorCase(ClipDiff(1.0), (i32(5, 3),), "i32[5,3]; floats are expected"),
]

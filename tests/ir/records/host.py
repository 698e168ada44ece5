"""Calls of Python functions."""

import numpy as np

from ir.ops.host import HostCall
from tests.support.op_cases import Input, OpCase, f32


def twice_and_sum(inputs):
    x, y = inputs
    return [2.0 * x, np.asarray(x + y)]


def back(wanted, arrays):
    doubled, total = arrays[4:]
    return [g for g, need in zip((2.0 * doubled + total, total), wanted, strict=True) if need]


CASES = [
    OpCase(
        "two results",
        HostCall("twice", (f32(3, 2), f32(3, 2)), forward=twice_and_sum, backward=back),
        (Input((3, 2)), Input((3, 2))),
        (0, 1),
    ),
]

ERRORS = []

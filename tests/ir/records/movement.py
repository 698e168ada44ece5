"""Ops that move elements."""

from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from tests.support.op_cases import ErrorCase, Input, OpCase, f32

CASES = [
    OpCase("flat", Reshape((24,)), (Input((2, 3, 4)),), (0,)),
    OpCase("scalar", Reshape(()), (Input((1, 1)),), (0,)),
    OpCase("rotate", Transpose((2, 0, 1)), (Input((2, 3, 4)),), (0,)),
    OpCase("middle", Slice(1, 2, 5), (Input((2, 6, 3)),), (0,)),
    OpCase("nothing", Slice(0, 1, 1), (Input((2, 3)),)),
    OpCase("three", Concat(1), (Input((2, 3)), Input((2, 1)), Input((2, 2))), (0, 1, 2)),
    OpCase("grow", Pad((0, 1), (2, 0), 0.5), (Input((2, 3)),), (0,)),
    OpCase("cut", Pad((0, -1), (2, -1)), (Input((2, 5)),), (0,)),
]

ERRORS = [
    ErrorCase(Reshape((5,)), (f32(2, 3),), "6 elements do not fill"),
    ErrorCase(Transpose((0, 0)), (f32(2, 3),), "order (0, 0), rank 2"),
    ErrorCase(Slice(1, 2, 7), (f32(2, 6),), "[2:7] of 6"),
    ErrorCase(Slice(2, 0, 1), (f32(2, 6),), "axis 2 of rank 2"),
    ErrorCase(Concat(1), (f32(2, 3), f32(3, 3)), "f32[2,3] and f32[3,3]"),
    ErrorCase(Concat(2), (f32(2, 3), f32(2, 3)), "axis 2 of rank 2"),
    ErrorCase(Pad((1,), (1,)), (f32(2, 3),), "one amount per axis"),
    ErrorCase(Pad((0, -4), (0, 0)), (f32(2, 3),), "padding f32[2,3] gives"),
]

"""Matrix products."""

from ir.ops.matmul import MatMul
from tests.support.op_cases import ErrorCase, Input, OpCase, brain, f32, half, i32

CASES = [
    OpCase("plain", MatMul(), (Input((3, 4)), Input((4, 5))), (0, 1)),
    OpCase("a", MatMul(transpose_a=True), (Input((4, 3)), Input((4, 5))), (0, 1)),
    OpCase("b", MatMul(transpose_b=True), (Input((3, 4)), Input((5, 4))), (0, 1)),
    OpCase("both", MatMul(True, True), (Input((4, 3)), Input((5, 4))), (0, 1)),
    OpCase("batched", MatMul(), (Input((2, 3, 4)), Input((2, 4, 5))), (0, 1)),
    OpCase("batched-both", MatMul(True, True), (Input((2, 4, 3)), Input((2, 5, 4))), (0, 1)),
]

ERRORS = [
    ErrorCase(MatMul(), (f32(3, 4), f32(5, 4)), "inner extents 4 and 5"),
    ErrorCase(MatMul(transpose_b=True), (f32(3, 4), f32(4, 5)), "inner extents 4 and 5"),
    ErrorCase(MatMul(), (f32(3, 4), f32(4)), "ranks 2 and 1"),
    ErrorCase(MatMul(), (f32(2, 3, 4), f32(3, 4, 5)), "batch axes"),
    ErrorCase(MatMul(), (f32(3, 4), half(4, 5)), "factors of f32 and f16: both must be of one"),
    ErrorCase(MatMul(), (half(3, 4), f32(4, 5)), "factors of f16 and f32: both must be of one"),
    ErrorCase(MatMul(), (half(3, 4), brain(4, 5)), "factors of f16 and bf16: both must be of one"),
    ErrorCase(MatMul(), (i32(3, 4), i32(4, 5)), "factors of i32 and i32: both must be of one"),
]

"""Reductions over whole axes."""

from ir.ops.reduction import ArgExtreme, Reduce
from ir.types import I32, TensorType
from tests.support.op_cases import ErrorCase, Input, OpCase, distinct, f32, positive, whole

CASES = [
    OpCase("sum", Reduce("sum", (0, 2)), (Input((2, 3, 4)),), (0,)),
    OpCase("sum-all", Reduce("sum", (0, 1)), (Input((5, 3)),), (0,)),
    OpCase("prod", Reduce("prod", (1,)), (Input((3, 4), positive),), (0,)),
    OpCase("max", Reduce("max", (1,)), (Input((3, 7), distinct),), (0,)),
    OpCase("min", Reduce("min", (0, 1)), (Input((3, 7), distinct),), (0,)),
    OpCase("deviations", Reduce("deviations", (0, 2)), (Input((2, 3, 4)),), (0,)),
    OpCase("deviations-none", Reduce("deviations", (0,)), (Input((0, 3)),)),
    OpCase("max-first", ArgExtreme("max", 1), (Input((4, 6), whole(0, 3)),)),
    OpCase("max-last", ArgExtreme("max", 1, "last"), (Input((4, 6), whole(0, 3)),)),
    OpCase("min-first", ArgExtreme("min", 0), (Input((4, 6), whole(0, 3)),)),
]

ERRORS = [
    ErrorCase(Reduce("sum", (2,)), (f32(3, 4),), "of a rank 2 tensor"),
    ErrorCase(Reduce("mean", (0,)), (f32(3, 4),), "unknown reduction 'mean'"),
    ErrorCase(Reduce("deviations", (0,)), (TensorType((3, 4), I32),), "deviations of i32"),
    ErrorCase(ArgExtreme("max", 2), (f32(3, 4),), "of a rank 2 tensor"),
    ErrorCase(ArgExtreme("best", 0), (f32(3, 4),), "bad attributes"),
]

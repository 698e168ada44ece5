"""The largest elements."""

from ir.ops.sort import TopK
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, whole

CASES = [
    OpCase("ties", TopK(3), (Input((4, 6), whole(0, 4)),)),
    OpCase("first_ties", TopK(4, "first"), (Input((4, 6), whole(0, 4)),)),
    OpCase("all_first", TopK(70, "first"), (Input((2, 70), whole(0, 9)),)),
    OpCase("all", TopK(5), (Input((2, 3, 5)),)),
]

ERRORS = [
    ErrorCase(TopK(7), (f32(4, 6),), "7 largest of"),
    ErrorCase(TopK(2, "middle"), (f32(4, 6),), "unknown tie"),
    ErrorCase(TopK(0), (f32(4, 6),), "0 largest of"),
]

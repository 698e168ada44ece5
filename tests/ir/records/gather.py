"""Rows by number; numbers outside the table count as well."""

from ir.ops.gather import Gather, ScatterAdd
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32, whole

ROWS = Input((6,), whole(-1, 5), I32)

CASES = [
    OpCase("rows", Gather(), (Input((4, 3)), ROWS), (0,)),
    OpCase("nothing", Gather(), (Input((0, 3)), ROWS)),
    OpCase("rows", ScatterAdd(4), (Input((6, 3)), ROWS), (0,)),
]

ERRORS = [
    ErrorCase(Gather(), (f32(4, 3), f32(6)), "row numbers are i32, not f32"),
    ErrorCase(Gather(), (f32(4, 3, 2), i32(6)), "ranks 2 and 1 expected"),
    ErrorCase(ScatterAdd(4), (f32(5, 3), i32(6)), "f32[5,3] and i32[6]"),
    ErrorCase(ScatterAdd(4), (f32(6, 3), f32(6)), "row numbers are i32"),
]

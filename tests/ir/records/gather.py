"""Rows by number; numbers outside the table count as well."""

from ir.ops.gather import Gather, ScatterAdd, ScatterLast
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, Make, OpCase, f32, i32, whole

ROWS = Input((6,), whole(-1, 5), I32)


def _last(name: str, count: int, shape: tuple[int, int], places: Make) -> OpCase:
    """Some rows take no element, some part of theirs, some more than there are."""
    many = Input(shape[:1], whole(0, shape[1] + 3), I32)
    return OpCase(name, ScatterLast(count), (Input(shape), Input(shape, places, I32), many))


CASES = [
    OpCase("rows", Gather(), (Input((4, 3)), ROWS), (0,)),
    OpCase("nothing", Gather(), (Input((0, 3)), ROWS)),
    OpCase("rows", ScatterAdd(4), (Input((6, 3)), ROWS), (0,)),
    _last("places", 7, (3, 20), whole(-1, 8)),
    _last("far", 100, (2, 5), whole(0, 100)),
    _last("nothing", 4, (3, 0), whole(0, 4)),
]

ERRORS = [
    ErrorCase(Gather(), (f32(4, 3), f32(6)), "row numbers are i32, not f32"),
    ErrorCase(Gather(), (f32(4, 3, 2), i32(6)), "ranks 2 and 1 expected"),
    ErrorCase(ScatterAdd(4), (f32(5, 3), i32(6)), "f32[5,3] and i32[6]"),
    ErrorCase(ScatterAdd(4), (f32(6, 3), f32(6)), "row numbers are i32"),
    ErrorCase(ScatterLast(4), (f32(5, 3), i32(6, 3), i32(5)), "f32[5,3] and i32[6,3]"),
    ErrorCase(ScatterLast(4), (f32(6, 3), f32(6, 3), i32(6)), "numbers are i32"),
    ErrorCase(ScatterLast(4), (f32(6, 3), i32(6, 3), i32(5)), "f32[6,3] and i32[5]"),
]

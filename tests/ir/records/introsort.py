"""The order of equal elements after std::sort."""

import numpy as np

from ir.ops.introsort import IntroSort
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32, whole


def few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Many equal elements."""
    return rng.integers(0, 9, shape) / 8.0


def case(
    label: str, k: int, rows: int, length: int, wanted: list[int], pivot: str = "median"
) -> OpCase:
    given = Input((rows,), lambda rng, shape: np.array(wanted), I32)
    marks = Input((rows, length), whole(0, 2), I32)
    return OpCase(label, IntroSort(k, pivot), (Input((rows, length), few), marks, given))


CASES = [
    case("short", 5, 3, 15, [1, 0, 1]),
    case("long", 40, 2, 301, [1, 1]),
    case("all", 70, 1, 70, [1]),
    case("by_first", 40, 2, 130, [1, 1], "first"),
    case("all_by_first", 70, 1, 70, [1], "first"),
]

ERRORS = [
    ErrorCase(IntroSort(2), (f32(2, 3), f32(2, 3), i32(2)), "marks"),
    ErrorCase(IntroSort(2), (f32(2, 3), i32(2, 3), i32(3)), "for rows of"),
    ErrorCase(IntroSort(2, "last"), (f32(2, 3), i32(2, 3), i32(2)), "unknown pivot"),
    ErrorCase(IntroSort(4), (f32(2, 3), i32(2, 3), i32(2)), "4 largest of"),
]

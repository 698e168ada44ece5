"""Non-maximum suppression."""

import numpy as np

from ir.ops.suppression import NonMaximum
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32


def boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Many that overlap, some that are empty, some that are there twice."""
    corner = rng.integers(0, 8, (*shape[:-1], 2))
    size = rng.integers(-1, 6, (*shape[:-1], 2))
    return np.concatenate([corner, corner + size], axis=-1) / 4.0


def case(label: str, op: NonMaximum, rows: int, length: int, counts: list[int]) -> OpCase:
    given = Input((rows,), lambda rng, shape: np.array(counts), I32)
    return OpCase(label, op, (Input((rows, length, 4), boxes), given))


CASES = [
    case("plain", NonMaximum(0.3), 3, 20, [20, 7, 0]),
    case("long", NonMaximum(0.45), 2, 150, [150, 131]),
    case("eta", NonMaximum(0.9, eta=0.8), 2, 40, [40, 33]),
    case("most", NonMaximum(0.5, most=3), 2, 30, [30, 2]),
    case("pixel", NonMaximum(0.7, pixel=1), 1, 30, [30]),
    case("touching", NonMaximum(0.5, touching=True), 2, 30, [30, 30]),
    case("none_stays_but_one", NonMaximum(-1.0), 1, 5, [5]),
]

ERRORS = [
    ErrorCase(NonMaximum(0.3), (f32(2, 3, 5), i32(2)), "rows of 4"),
    ErrorCase(NonMaximum(0.3), (f32(2, 3, 4), i32(3)), "one count a row"),
    ErrorCase(NonMaximum(0.3, eta=0.0), (f32(2, 3, 4), i32(2)), "eta 0.0"),
]

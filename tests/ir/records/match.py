"""Boxes matched with boxes, and the largest of rows."""

import numpy as np

from ir.ops.match import Match
from ir.ops.selection import Largest
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32


def boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Many that overlap, some beyond 0..1, some that are empty, some that are there twice."""
    corner = rng.integers(-1, 7, (*shape[:-1], 2))
    size = rng.integers(-1, 6, (*shape[:-1], 2))
    return np.concatenate([corner, corner + size], axis=-1) / 8.0


def case(label: str, op: Match, several: int, priors: int, owner: list[int]) -> OpCase:
    given = Input((len(owner),), lambda rng, shape: np.array(owner), I32)
    return OpCase(
        label, op, (Input((several, priors, 4), boxes), Input((len(owner), 4), boxes), given)
    )


def rows(label: str, counts: list[int], length: int) -> OpCase:
    """Rows with equal elements and a NaN."""
    given = Input((len(counts),), lambda rng, shape: np.array(counts), I32)

    def values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        made = rng.integers(-4, 5, shape) / 2.0
        made[0, length // 2] = np.nan
        return made

    return OpCase(label, Largest(), (Input((len(counts), length), values), given))


def spread(label: str, counts: list[int], length: int) -> OpCase:
    """Numbers of all sizes, infinities, and many that are equal."""
    given = Input((len(counts),), lambda rng, shape: np.array(counts), I32)

    def values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        made = np.sign(rng.standard_normal(shape)) * 2.0 ** rng.integers(-120, 120, shape)
        made[:, ::7] = -3.0e38
        made[1:, 3], made[2:, 4], made[3:, 5] = np.inf, -np.inf, 0.0
        return made

    return OpCase(label, Largest(), (Input((len(counts), length), values), given))


CASES = [
    case("shared", Match(3, 0.3), 1, 37, [0, 0, 2, 0, -1, 2, 5, 0]),
    case("each", Match(2, 0.5), 2, 150, [1, 0, 1, 1, 0]),
    case("bipartite", Match(2, 0.5, rest=False), 2, 21, [1, 0, 1, 1, 0]),
    case("inside", Match(2, 0.25, inside=True), 1, 40, [0, 0, 0, 1]),
    case("more_rows_than_boxes", Match(1, 0.4), 1, 2, [0, 0, 0, 0, 0]),
    case("nothing_to_look_for", Match(2, 0.4), 1, 5, [-1]),
    rows("some", [3, 0, 7, 20, 40, -1], 23),
    rows("long", [1, 260], 300),
    spread("wide", [1, 5, 40, 79], 80),
]

ERRORS = [
    ErrorCase(Match(1, 0.5), (f32(1, 3, 5), f32(2, 4), i32(2)), "rows of 4"),
    ErrorCase(Match(1, 0.5), (f32(1, 3, 4), f32(2, 5), i32(2)), "truth is rows of 4"),
    ErrorCase(Match(1, 0.5), (f32(1, 3, 4), f32(2, 4), i32(3)), "one owner a row"),
    ErrorCase(Match(3, 0.5), (f32(2, 3, 4), f32(2, 4), i32(2)), "for 3 sets"),
    ErrorCase(Largest(), (f32(2, 3), i32(3)), "one count a row"),
    ErrorCase(Largest(), (f32(2, 3, 4), i32(2)), "rows of floats"),
]

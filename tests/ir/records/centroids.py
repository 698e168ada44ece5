"""Centroids that follow rows; classes by their nearest stored rows; rows beside rows."""

import numpy as np

from ir.ops.centroids import MoveCentroids
from ir.ops.nearest import NearestByClass
from ir.ops.sequences import DrawSequences
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32, whole

LABELS = Input((9,), whole(0, 3), I32)


def moved(label: str, many: int, seen: int) -> OpCase:
    counts = Input((4,), whole(0, seen))
    return OpCase(label, MoveCentroids(many), (Input((9, 3)), LABELS, Input((4, 3)), counts))


def nearest(label: str, k: int, count: int) -> OpCase:
    number = Input((1,), whole(count, count + 1), I32)
    inputs = (Input((5, 3)), Input((9, 3)), LABELS, number)
    return OpCase(label, NearestByClass(4, k), inputs)


def share(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape)


def sequences(label: str, op: DrawSequences, beside: int) -> OpCase:
    """Three labels; every one has been there, and the first more often than the cache is long."""
    cache, counts = Input((3, 4, 2)), Input((3,), whole(2, 5))
    inputs = (Input((9, 2)), LABELS, cache, counts, Input((9, beside), share))
    return OpCase(label, op, inputs)


CASES = [
    sequences("triplets", DrawSequences(matching=True), 2),
    sequences("others", DrawSequences(matching=False), 1),
    sequences("more_of_others", DrawSequences(matching=True), 4),
    sequences("in_turns", DrawSequences(matching=False, balanced=True), 1),
    moved("first", 20, 1),
    moved("averaged", 100, 5),
    moved("followed", 2, 5),
    nearest("two", 2, 9),
    nearest("all", 0, 9),
    nearest("more_than_there_are", 50, 4),
    nearest("one", 1, 1),
    nearest("none", 3, 0),
]

ROWS = (f32(2, 3), i32(2), f32(4, 5, 3), f32(4))

ERRORS = [
    ErrorCase(DrawSequences(True), (*ROWS, f32(3, 2)), "f32"),
    ErrorCase(DrawSequences(False, True), (*ROWS, f32(2, 2)), "for balanced pairs"),
    ErrorCase(DrawSequences(True), (*ROWS[:2], f32(1, 5, 3), f32(1), f32(2, 2)), "two labels"),
    ErrorCase(DrawSequences(True), (*ROWS[:3], f32(5), f32(2, 2)), "f32"),
    ErrorCase(DrawSequences(True), (f32(2, 2), *ROWS[1:], f32(2, 2)), "f32"),
    ErrorCase(MoveCentroids(0), (f32(2, 3), i32(2), f32(4, 3), f32(4)), "many is 0"),
    ErrorCase(MoveCentroids(1), (f32(2, 3), i32(2), f32(4, 2), f32(4)), "f32"),
    ErrorCase(MoveCentroids(1), (f32(2, 3), i32(3), f32(4, 3), f32(4)), "one i32 for each"),
    ErrorCase(MoveCentroids(1), (f32(2, 3), i32(2), f32(4, 3), f32(3)), "f32"),
    ErrorCase(NearestByClass(0, 1), (f32(2, 3), f32(4, 3), i32(4), i32(1)), "0 outputs"),
    ErrorCase(NearestByClass(1, 1), (f32(2, 3), f32(4, 2), i32(4), i32(1)), "f32"),
    ErrorCase(NearestByClass(1, 1), (f32(2, 3), f32(4, 3), i32(3), i32(1)), "one i32 for each"),
    ErrorCase(NearestByClass(1, 1), (f32(2, 3), f32(4, 3), i32(4), i32(2)), "no number of rows"),
]

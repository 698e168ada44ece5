"""Means over all ranks."""

from ir.ops.ranks import MeanOverRanks
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32
from tests.support.rank_means import LikeThese

CASES = [
    OpCase("alone", MeanOverRanks(), (Input((2, 3)),), (0,)),
    OpCase("three alike", MeanOverRanks(LikeThese(3)), (Input((1, 3, 1, 1)), Input(())), (0, 1)),
]

ERRORS = [
    ErrorCase(MeanOverRanks(), (), "it averages nothing"),
    ErrorCase(MeanOverRanks(), (f32(2), i32(2)), "an input of i32: it must be f32"),
]

"""Winograd's transforms."""

from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights
from tests.support.op_cases import ErrorCase, Input, OpCase, f32

CASES = [
    OpCase("two", WinogradInput(2, pad=(1, 1)), (Input((2, 3, 5, 4)),), ()),
    OpCase("four", WinogradInput(4, pad=(0, 2)), (Input((1, 2, 7, 6)),), ()),
    OpCase("two", WinogradWeights(2), (Input((4, 3, 3, 3)),), ()),
    OpCase("four", WinogradWeights(4), (Input((2, 3, 3, 3)),), ()),
    OpCase("two", WinogradOutput(2, spatial=(5, 4)), (Input((2, 48, 3, 2)),), ()),
    OpCase("four", WinogradOutput(4, spatial=(5, 8)), (Input((1, 72, 2, 2)),), ()),
]

ERRORS = [
    ErrorCase(WinogradInput(3), (f32(1, 2, 5, 5),), "tiles of 3"),
    ErrorCase(WinogradInput(2), (f32(1, 2, 5),), "rank 3"),
    ErrorCase(WinogradInput(2), (f32(1, 2, 2, 5),), "is larger than"),
    ErrorCase(WinogradWeights(2), (f32(4, 3, 5, 5),), "a window of"),
    ErrorCase(WinogradOutput(2, spatial=(5, 4)), (f32(1, 16, 2, 2),), "(3, 2) expected"),
    ErrorCase(WinogradOutput(2, spatial=(4, 4)), (f32(1, 15, 2, 2),), "15 channels of 16"),
]

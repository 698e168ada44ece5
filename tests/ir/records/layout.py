"""Ops between tensors and what memory holds of them."""

from ir.ops.layout import Pack, Unpack
from ir.types import TensorType
from tests.support.op_cases import ErrorCase, Input, OpCase, f32

LAST = TensorType.parse("f32[2,3,4,2]{0,2,3,1}")
BLOCKS = TensorType.parse("f32[2,5,2]{0,1,2,1:4}")
ROWS = f32(2, 3)

CASES = [
    OpCase("channels_last", Pack(LAST), (Input(LAST.shape, layout=LAST.layout),), (0,)),
    OpCase("blocks", Pack(BLOCKS), (Input(BLOCKS.shape, layout=BLOCKS.layout),), (0,)),
    OpCase("rows", Pack(ROWS), (Input(ROWS.shape),), (0,)),
    OpCase("channels_last", Unpack(LAST), (Input((48,)),), (0,)),
    OpCase("blocks", Unpack(BLOCKS), (Input((32,)),), (0,)),
]

ERRORS = [
    ErrorCase(Pack(LAST), (f32(2, 3, 4, 3),), "f32[2,3,4,3] is not packed as f32[2,3,4,2]"),
    ErrorCase(Unpack(BLOCKS), (f32(20),), "f32[20] is not the memory of f32[2,5,2]{0,1,2,1:4}"),
]

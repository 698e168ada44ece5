"""Element types in ONNX."""

from __future__ import annotations

from onnx import TensorProto

from ir.types import DType

ELEMENT_TYPES: dict[DType, int] = {
    DType.F64: TensorProto.DOUBLE,
    DType.F32: TensorProto.FLOAT,
    DType.F16: TensorProto.FLOAT16,
    DType.BF16: TensorProto.BFLOAT16,
    DType.I32: TensorProto.INT32,
    DType.U32: TensorProto.UINT32,
    DType.BOOL: TensorProto.BOOL,
}

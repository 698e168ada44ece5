"""Fields that many messages of Synopsys' Caffe have alike: those of its integer arithmetic."""

from __future__ import annotations

from ..types import enum, optional

SATURATED = (
    enum(
        "SaturateMethod",
        **{"None": 0, "Signed": 1, "Unsigned": 2, "Signed_8bit": 3, "Unsigned_8bit": 4},
    ),
    optional("SaturateMethod", "saturate", default="None"),
)
"""The range of integers that a result is brought into."""

QUANTIZED = (
    enum("QuantizeMethod", tflite=0, ONNX=1, Caffe2=2),
    optional("QuantizeMethod", "quantize_method", default="tflite"),
)
"""Whose rules of rounding hold."""

"""Engines of other forks, and what else nets carry from one tool to the next."""

from __future__ import annotations

from ..registry import declare_enum, declare_message, extend_enum, extend_message
from ..types import enum, optional

_ENGINES = ("MKL2017", "MKLDNN", "CUDNN_FORWARD", "LIBDNN", "INTEL_SPATIAL", "FFT")

#: The engine of layers that have none in Caffe.
declare_enum(enum("ForkEngine", DEFAULT=0, CAFFE=1, CUDNN=2))
extend_enum("ForkEngine", *_ENGINES, execution_only=True)

for _message in (
    "ConvolutionParameter",
    "LRNParameter",
    "PoolingParameter",
    "ReLUParameter",
    "SPPParameter",
    "SigmoidParameter",
    "SoftmaxParameter",
    "TanHParameter",
):
    extend_enum(f"{_message}.Engine", *_ENGINES, execution_only=True)

# Values of Caffe's enums that other forks added and that do change the result.
extend_enum("LossParameter.NormalizationMode", "PRE_FIXED")
extend_enum("EltwiseParameter.EltwiseOp", "SORT", "STOCHASTIC_SUM")
extend_enum("ReductionParameter.ReductionOp", "TOPK")
extend_enum("SolverParameter.SolverType", "SAG")
extend_enum("DataParameter.DB", "DATUMFILE")

# Nets converted from Torch round the size of pooled maps down.
extend_message("PoolingParameter", optional("bool", "ceil_mode", default=True))

# Parameters of a user's own layer that nothing declares.
declare_message("FreeBlock", free=True)
extend_message("LayerParameter", optional("FreeBlock", "user_param"))

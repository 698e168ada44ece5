"""V1 layers (`layers { type: LOCAL }`) of forks."""

from __future__ import annotations

from ..caffe_legacy import V1_LAYER_TYPES
from ..registry import extend_enum, extend_message
from ..types import optional

_TYPES = {
    "BN": "BN",
    "CROP": "Crop",
    "LOCAL": "Local",
    "NORMALIZE": "Normalize",
    "PRELU": "PReLU",
    "RELU6": "ReLU6",
    "ROIPOOLING": "ROIPooling",
    "SELU": "SeLu",
    "SELU_DROPOUT": "SeLuDropout",
}

extend_enum("V1LayerParameter.LayerType", *_TYPES)
V1_LAYER_TYPES.update(_TYPES)
extend_message("LayerParameter", optional("ReLUParameter", "relu6_param"))
extend_message(
    "V1LayerParameter",
    optional("ReLUParameter", "relu6_param"),
    optional("NormalizeParameter", "normalize_param"),
)

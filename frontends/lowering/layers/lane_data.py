"""LaneData. eric612/MobileNet-YOLO: src/caffe/layers/lane_data_layer.cpp."""

from __future__ import annotations

from ..registry import layer
from .inputs import AUGMENTATION, lower_fed

layer(
    "LaneData",
    param="annotated_data_param",
    bottoms=0,
    tops=(1, 3),
    source=True,
    also=("data_param", "transform_param"),
    fork="MobileNet-YOLO",
    fork_fields=AUGMENTATION,
    note="has tops of known shapes, and reads nothing: a run that needs it is an error",
)(lower_fed)

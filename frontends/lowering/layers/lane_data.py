"""LaneData. eric612/MobileNet-YOLO: src/caffe/layers/lane_data_layer.cpp."""

from __future__ import annotations

from ..registry import layer
from .annotated_data import MOBILENET_YOLO
from .inputs import AUGMENTATION, lower_fed

layer(
    "LaneData",
    param="annotated_data_param",
    bottoms=0,
    tops=(1, 3),
    source=True,
    also=("data_param", "transform_param"),
    fork="MobileNet-YOLO",
    fork_fields=(*AUGMENTATION, *MOBILENET_YOLO, "shuffle"),
    note="points stay where they are in a mirrored picture, whose mask is mirrored, as in the "
    "fork; where no point is, zeros stand",
)(lower_fed)

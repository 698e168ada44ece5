"""AnnotatedData. weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp."""

from __future__ import annotations

from ..registry import layer
from .inputs import AUGMENTATION, lower_fed

layer(
    "AnnotatedData",
    param="annotated_data_param",
    bottoms=0,
    tops=(1, 4),
    source=True,
    also=("data_param", "transform_param"),
    fork="SSD",
    fork_fields=(*AUGMENTATION, "shuffle"),
    note="random choices are those of the seed, and a resumed run goes on with them; "
    "`convert_to_lab` gives the values of Lab, of which SSD's branch takes the bytes; pixels that "
    "are not stored as picture files are resized, too. Of more than two tops (MobileNet-YOLO's "
    "labels of pixels, Synopsys' labels of several grids) the shapes are known; nothing is read",
)(lower_fed)

"""AnnotatedData. weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp."""

from __future__ import annotations

from ..registry import layer
from .inputs import AUGMENTATION, lower_fed

MOBILENET_YOLO = (
    "yolo_data_type",
    "yolo_data_jitter",
    "train_diffcult",
    "difficult_label_warmup",
    "single_class",
    "seg_scales",
    "seg_resize_width",
    "seg_resize_height",
    "further_resize_param",
    "cvt_bgr2rgb",
)
_SYNOPSYS = ("side", "random", "caffe_yolo", "jitter", "exposure_lower", "exposure_upper")

layer(
    "AnnotatedData",
    param="annotated_data_param",
    bottoms=0,
    tops=(1, 4),
    source=True,
    also=("data_param", "transform_param"),
    fork="SSD",
    fork_fields=(*AUGMENTATION, *MOBILENET_YOLO, *_SYNOPSYS, "shuffle"),
    note="random choices are those of the seed, and a resumed run goes on with them; "
    "`convert_to_lab` gives the values of Lab, of which SSD's branch takes the bytes; pixels that "
    "are not stored as picture files are resized, too. Of MobileNet-YOLO's fields and Synopsys' "
    "[detection](detection.md#data-for-yolo) tells",
)(lower_fed)

"""MobileNet-YOLO (eric612/MobileNet-YOLO)."""

from __future__ import annotations

from ..registry import declare_message, extend_enum, extend_message
from ..types import optional, repeated

declare_message(
    "LaneInfo",
    optional("float", "x"),
    optional("float", "y"),
    optional("int32", "id"),
)
declare_message(
    "SegmentationEvaluateParameter",
    optional("uint32", "num_classes", default=1),
    optional("float", "threshold", default=0.5),
)
declare_message(
    "YoloSegParameter",
    optional("uint32", "num_class", default=0),
    optional("float", "object_scale", default=5.0),
    optional("float", "class_scale", default=1.0),
    optional("bool", "use_logic_gradient", default=False),
    optional("bool", "use_hardsigmoid", default=False),
)
declare_message(
    "YoloSegItem",
    optional("string", "name"),
    optional("int32", "label_id"),
    optional("int32", "label"),
    optional("int32", "r", default=0),
    optional("int32", "g", default=0),
    optional("int32", "b", default=0),
)
declare_message(
    "YoloSegLabel",
    repeated("YoloSegItem", "item"),
)
extend_message(
    "AnnotatedDataParameter",
    optional("int32", "yolo_data_type", default=0),
    optional("float", "yolo_data_jitter", default=0.3),
    optional("bool", "train_diffcult", default=True),
    optional("bool", "single_class", default=True),
    optional("int32", "seg_scales", default=8),
    optional("int32", "seg_resize_width", default=0),
    optional("int32", "seg_resize_height", default=0),
    optional("bool", "difficult_label_warmup", default=False),
)
extend_message(
    "Annotation",
    optional("LaneInfo", "lanes"),
)
extend_message(
    "LayerParameter",
    optional("YoloSegParameter", "yolo_seg_param"),
    optional("SegmentationEvaluateParameter", "segmentation_evaluate_param"),
    optional("ReLUParameter", "relu6_param"),
)
extend_message(
    "TransformationParameter",
    optional("bool", "enable_classf_aug", default=False),
    optional("float", "min_scaling_factor", default=0.75),
    optional("float", "max_scaling_factor", default=1.5),
    optional("uint32", "max_rotation_angle", default=0),
    optional("bool", "contrast_brightness_adjustment", default=False),
    optional("bool", "smooth_filtering", default=False),
    optional("float", "min_contrast", default=0.8),
    optional("float", "max_contrast", default=1.2),
    optional("uint32", "max_brightness_shift", default=5),
    optional("float", "max_smooth", default=6.0),
    optional("uint32", "max_color_shift", default=0),
    optional("uint32", "min_side_min", default=0),
    optional("uint32", "min_side_max", default=0),
    optional("uint32", "min_side", default=0),
    optional("float", "apply_probability", default=0.5),
    optional("bool", "debug_params", default=False),
    optional("bool", "cvt_bgr2rgb", default=False),
)
extend_message(
    "V1LayerParameter",
    optional("ReLUParameter", "relu6_param"),
)
extend_enum("AnnotatedDatum.AnnotationType", "BBOXandSeg", "LANE")

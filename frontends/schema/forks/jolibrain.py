"""DeepDetect's Caffe (jolibrain/caffe)."""

from __future__ import annotations

from ..registry import declare_message, extend_message
from ..types import enum, optional

declare_message(
    "DiceCoefLossParameter",
    enum(
        "GeneralizationMode",
        NONE=0,
        MULTICLASS=1,
        MULTICLASS_WEIGHTED=2,
        MULTICLASS_WEIGHTED_BATCH=3,
        MULTICLASS_WEIGHTED_ALL=4,
    ),
    enum("WeightMode", INVERSE_VOLUME=0, EQUALIZE_CLASSES=1, EXTRA_SMALL_VOLUMES=2),
    enum("ContourShape", NO=0, SIMPLE=1, SHARP=2),
    optional("GeneralizationMode", "generalization", default="NONE"),
    optional("WeightMode", "weight_mode", default="INVERSE_VOLUME"),
    optional("string", "weights"),
    optional("ContourShape", "contour_shape", default="NO"),
    optional("int32", "contour_size", default=7),
    optional("float", "contour_amplitude", default=5.0),
    optional("int32", "ignore_label", default=-1),
)
declare_message(
    "GeometryParameter",
    enum("Pad_mode", CONSTANT=1, MIRRORED=2, REPEAT_NEAREST=3),
    optional("float", "prob", default=0.0),
    optional("bool", "persp_horizontal", default=True),
    optional("bool", "persp_vertical", default=True),
    optional("bool", "zoom_out", default=True),
    optional("bool", "zoom_in", default=True),
    optional("float", "zoom_factor", default=0.25),
    optional("float", "persp_factor", default=0.25),
    optional("bool", "all_effects", default=False),
    optional("Pad_mode", "pad_mode", default="MIRRORED"),
)
extend_message(
    "ConvolutionParameter",
    enum("CudnnFlavor", SINGLE_HANDLE=0, MULTIPLE_HANDLES=1, MIN_MEMORY=2),
    optional("CudnnFlavor", "cudnn_flavor", default="MIN_MEMORY"),
)
extend_message(
    "DetectionEvaluateParameter",
    optional("bool", "output_logits", default=False),
)
extend_message(
    "DetectionOutputParameter",
    optional("bool", "output_logits", default=False),
)
extend_message(
    "DistortionParameter",
    optional("float", "prob", default=0.0),
    optional("bool", "brightness", default=False),
    optional("bool", "contrast", default=False),
    optional("bool", "hue", default=False),
    optional("bool", "saturation", default=False),
    optional("bool", "random_order", default=False),
    optional("bool", "all_effects", default=False),
)
extend_message(
    "FocalLossParameter",
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("int32", "axis", default=1),
)
extend_message(
    "HDF5DataParameter",
    optional("bool", "image", default=False),
)
extend_message(
    "ImageDataParameter",
    optional("uint32", "label_size", default=1),
)
extend_message(
    "InterpParameter",
    enum("Mode", LINEAR=1, NEAREST=3),
    optional("Mode", "mode", default="LINEAR"),
    declared_later=True,
)
extend_message(
    "LayerParameter",
    optional("DiceCoefLossParameter", "dice_coef_loss_param"),
)
extend_message(
    "NoiseParameter",
    optional("bool", "all_effects", default=False),
)
extend_message(
    "NonMaximumSuppressionParameter",
    optional("bool", "soft_nms", default=False),
    optional("float", "theta", default=0.5),
)
extend_message(
    "SoftmaxParameter",
    optional("float", "scaling_temperature", default=1.0),
)
extend_message(
    "SolverParameter",
    optional("float", "lr_dropout", default=1.0),
    optional("int32", "decoupled_wd_t0", default=1000),
    optional("float", "decoupled_wd_mult", default=2.0),
    optional("bool", "amsgrad", default=False),
    optional("bool", "rectified", default=True),
    optional("bool", "gc", default=False),
    optional("bool", "adabelief", default=False),
    optional("float", "lr_mult", default=0.8),
    optional("float", "p_mult", default=2.0),
    optional("int32", "period", default=-1),
    optional("bool", "lookahead", default=False),
    optional("int32", "lookahead_steps", default=6),
    optional("float", "lookahead_alpha", default=0.5),
)
extend_message(
    "TransformationParameter",
    optional("GeometryParameter", "geometry_param"),
    optional("bool", "rotate", default=False),
    optional("bool", "untransformed_top", default=False),
)

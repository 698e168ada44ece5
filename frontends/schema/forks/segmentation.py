"""SegNet, PSPNet and DeepLab."""

from __future__ import annotations

from ..registry import declare_message, extend_message
from ..types import enum, optional, repeated, required

declare_message(
    "AdaptiveBiasChannelParameter",
    optional("int32", "num_iter", default=1),
    optional("float", "bg_portion", default=0.2),
    optional("float", "fg_portion", default=0.2),
    optional("bool", "suppress_others", default=True),
    optional("float", "margin_others", default=1e-05),
)
declare_message(
    "BiasChannelParameter",
    enum("LabelType", IMAGE=1, PIXEL=2),
    optional("float", "bg_bias", default=1.0),
    optional("float", "fg_bias", default=2.0),
    repeated("int32", "ignore_label"),
    optional("LabelType", "label_type", default="IMAGE"),
    optional("int32", "background_label", default=0),
)
declare_message(
    "DenseCRFParameter",
    optional("int32", "max_iter", default=10),
    repeated("float", "pos_xy_std"),
    repeated("float", "pos_w"),
    repeated("float", "bi_xy_std"),
    repeated("float", "bi_rgb_std"),
    repeated("float", "bi_w"),
    optional("bool", "output_probability", default=True),
)
declare_message(
    "DenseImageDataParameter",
    optional("string", "source"),
    optional("uint32", "batch_size"),
    optional("uint32", "rand_skip", default=0),
    optional("bool", "shuffle", default=False),
    optional("uint32", "new_height", default=0),
    optional("uint32", "new_width", default=0),
    optional("bool", "is_color", default=True),
    optional("string", "mean_file"),
    optional("string", "root_folder"),
    optional("bool", "mirror", default=False),
    optional("uint32", "crop_width", default=0),
    optional("uint32", "crop_height", default=0),
)
declare_message(
    "DomainTransformParameter",
    optional("int32", "num_iter", default=3),
    optional("float", "spatial_sigma", default=50.0),
    optional("float", "range_sigma", default=5.0),
    optional("float", "min_weight", default=0.0),
)
declare_message(
    "MatReadParameter",
    required("string", "prefix"),
    optional("string", "source"),
    optional("int32", "strip", default=0),
    optional("int32", "batch_size", default=1),
)
declare_message(
    "MatWriteParameter",
    required("string", "prefix"),
    optional("string", "source"),
    optional("int32", "strip", default=0),
    optional("int32", "period", default=1),
)
declare_message(
    "UniqueLabelParameter",
    required("int32", "max_labels"),
    repeated("int32", "ignore_label"),
    repeated("float", "force_label"),
)
extend_message(
    "BatchNormParameter",
    optional("bool", "update_global_stats", default=True),
)
extend_message(
    "DropoutParameter",
    optional("bool", "sample_weights_test", default=False),
)
extend_message(
    "ImageDataParameter",
    enum("LabelType", NONE=0, IMAGE=1, PIXEL=2),
    optional("int32", "ignore_label", default=255),
    optional("LabelType", "label_type", default="IMAGE"),
)
extend_message(
    "LayerParameter",
    optional("AdaptiveBiasChannelParameter", "adaptive_bias_channel_param"),
    optional("BNParameter", "bn_param"),
    optional("BiasChannelParameter", "bias_channel_param"),
    optional("DenseCRFParameter", "dense_crf_param"),
    optional("DomainTransformParameter", "domain_transform_param"),
    optional("InterpParameter", "interp_param"),
    optional("MatReadParameter", "mat_read_param"),
    optional("MatWriteParameter", "mat_write_param"),
    optional("SegAccuracyParameter", "seg_accuracy_param"),
    optional("UniqueLabelParameter", "unique_label_param"),
    optional("DenseImageDataParameter", "dense_image_data_param"),
)
extend_message(
    "LossParameter",
    optional("bool", "weight_by_label_freqs", default=False),
    repeated("float", "class_weighting"),
)
extend_message(
    "TransformationParameter",
    repeated("float", "scale_factors"),
    optional("uint32", "crop_width", default=0),
    optional("uint32", "crop_height", default=0),
)
extend_message("InterpParameter", optional("bool", "use_blob_size"))

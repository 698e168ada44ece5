"""SSD (weiliu89/caffe), Fast and Faster R-CNN, R-FCN."""

from __future__ import annotations

from ..registry import declare_message, extend_message, native_message
from ..types import enum, optional, repeated

declare_message(
    "AnnotatedDataParameter",
    repeated("BatchSampler", "batch_sampler"),
    optional("string", "label_map_file"),
    optional("AnnotatedDatum.AnnotationType", "anno_type"),
)
# Records and label maps have a binary form, which other programs write and read.
native_message(
    "AnnotatedDatum",
    enum("AnnotationType", BBOX=0),
    optional("Datum", "datum", 1),
    optional("AnnotationType", "type", 2),
    repeated("AnnotationGroup", "annotation_group", 3),
)
native_message(
    "Annotation",
    optional("int32", "instance_id", 1, default=0),
    optional("NormalizedBBox", "bbox", 2),
)
native_message(
    "AnnotationGroup",
    optional("int32", "group_label", 1),
    repeated("Annotation", "annotation", 2),
)
declare_message(
    "BatchSampler",
    optional("bool", "use_original_image", default=True),
    optional("Sampler", "sampler"),
    optional("SampleConstraint", "sample_constraint"),
    optional("uint32", "max_sample"),
    optional("uint32", "max_trials", default=100),
)
declare_message(
    "DetectionEvaluateParameter",
    optional("uint32", "num_classes"),
    optional("uint32", "background_label_id", default=0),
    optional("float", "overlap_threshold", default=0.5),
    optional("bool", "evaluate_difficult_gt", default=True),
    optional("string", "name_size_file"),
    optional("ResizeParameter", "resize_param"),
)
declare_message(
    "DetectionOutputParameter",
    optional("uint32", "num_classes"),
    optional("bool", "share_location", default=True),
    optional("int32", "background_label_id", default=0),
    optional("NonMaximumSuppressionParameter", "nms_param"),
    optional("SaveOutputParameter", "save_output_param"),
    optional("PriorBoxParameter.CodeType", "code_type", default="CORNER"),
    optional("bool", "variance_encoded_in_target", default=False),
    optional("int32", "keep_top_k", default=-1),
    optional("float", "confidence_threshold"),
    optional("bool", "visualize", default=False),
    optional("float", "visualize_threshold"),
    optional("string", "save_file"),
)
declare_message(
    "DistortionParameter",
    optional("float", "brightness_prob", default=0.0),
    optional("float", "brightness_delta", default=0.0),
    optional("float", "contrast_prob", default=0.0),
    optional("float", "contrast_lower", default=0.0),
    optional("float", "contrast_upper", default=0.0),
    optional("float", "hue_prob", default=0.0),
    optional("float", "hue_delta", default=0.0),
    optional("float", "saturation_prob", default=0.0),
    optional("float", "saturation_lower", default=0.0),
    optional("float", "saturation_upper", default=0.0),
    optional("float", "random_order_prob", default=0.0),
)
declare_message(
    "EmitConstraint",
    enum("EmitType", CENTER=0, MIN_OVERLAP=1),
    optional("EmitType", "emit_type", default="CENTER"),
    optional("float", "emit_overlap"),
)
declare_message(
    "ExpansionParameter",
    optional("float", "prob", default=1.0),
    optional("float", "max_expand_ratio", default=1.0),
)
native_message(
    "LabelMap",
    repeated("LabelMapItem", "item", 1),
)
native_message(
    "LabelMapItem",
    optional("string", "name", 1),
    optional("int32", "label", 2),
    optional("string", "display_name", 3),
)
declare_message(
    "MILDataParameter",
    optional("string", "source"),
    optional("uint32", "num_scales", default=1),
    optional("float", "scale_factor", default=1.0),
    optional("uint32", "channels", default=3),
    optional("uint32", "images_per_batch"),
    optional("uint32", "n_classes"),
    optional("string", "label_file"),
    optional("string", "root_dir"),
    optional("string", "ext"),
    optional("bool", "randomize", default=True),
)
declare_message(
    "MILParameter",
    enum("MILType", MAX=0, NOR=1),
    optional("MILType", "type", default="MAX"),
)
declare_message(
    "MultiBoxLossParameter",
    enum("LocLossType", L2=0, SMOOTH_L1=1),
    enum("ConfLossType", SOFTMAX=0, LOGISTIC=1),
    enum("MatchType", BIPARTITE=0, PER_PREDICTION=1),
    enum("MiningType", NONE=0, MAX_NEGATIVE=1, HARD_EXAMPLE=2),
    optional("LocLossType", "loc_loss_type", default="SMOOTH_L1"),
    optional("ConfLossType", "conf_loss_type", default="SOFTMAX"),
    optional("float", "loc_weight", default=1.0),
    optional("uint32", "num_classes"),
    optional("bool", "share_location", default=True),
    optional("MatchType", "match_type", default="PER_PREDICTION"),
    optional("float", "overlap_threshold", default=0.5),
    optional("bool", "use_prior_for_matching", default=True),
    optional("uint32", "background_label_id", default=0),
    optional("bool", "use_difficult_gt", default=True),
    optional("bool", "do_neg_mining"),
    optional("float", "neg_pos_ratio", default=3.0),
    optional("float", "neg_overlap", default=0.5),
    optional("PriorBoxParameter.CodeType", "code_type", default="CORNER"),
    optional("bool", "encode_variance_in_target", default=False),
    optional("bool", "map_object_to_agnostic", default=False),
    optional("bool", "ignore_cross_boundary_bbox", default=False),
    optional("bool", "bp_inside", default=False),
    optional("MiningType", "mining_type", default="MAX_NEGATIVE"),
    optional("NonMaximumSuppressionParameter", "nms_param"),
    optional("int32", "sample_size", default=64),
    optional("bool", "use_prior_for_nms", default=False),
)
declare_message(
    "NoiseParameter",
    optional("float", "prob", default=0.0),
    optional("bool", "hist_eq", default=False),
    optional("bool", "inverse", default=False),
    optional("bool", "decolorize", default=False),
    optional("bool", "gauss_blur", default=False),
    optional("float", "jpeg", default=-1.0),
    optional("bool", "posterize", default=False),
    optional("bool", "erode", default=False),
    optional("bool", "saltpepper", default=False),
    optional("SaltPepperParameter", "saltpepper_param"),
    optional("bool", "clahe", default=False),
    optional("bool", "convert_to_hsv", default=False),
    optional("bool", "convert_to_lab", default=False),
)
declare_message(
    "NonMaximumSuppressionParameter",
    optional("float", "nms_threshold", default=0.3),
    optional("int32", "top_k"),
    optional("float", "eta", default=1.0),
)
native_message(
    "NormalizedBBox",
    optional("float", "xmin", 1),
    optional("float", "ymin", 2),
    optional("float", "xmax", 3),
    optional("float", "ymax", 4),
    optional("int32", "label", 5),
    optional("bool", "difficult", 6),
    optional("float", "score", 7),
    optional("float", "size", 8),
)
declare_message(
    "PriorBoxParameter",
    enum("CodeType", CORNER=1, CENTER_SIZE=2, CORNER_SIZE=3),
    repeated("float", "min_size"),
    repeated("float", "max_size"),
    repeated("float", "aspect_ratio"),
    optional("bool", "flip", default=True),
    optional("bool", "clip", default=False),
    repeated("float", "variance"),
    optional("uint32", "img_size"),
    optional("uint32", "img_h"),
    optional("uint32", "img_w"),
    optional("float", "step"),
    optional("float", "step_h"),
    optional("float", "step_w"),
    optional("float", "offset", default=0.5),
)
declare_message(
    "ResizeParameter",
    enum("Resize_mode", WARP=1, FIT_SMALL_SIZE=2, FIT_LARGE_SIZE_AND_PAD=3),
    enum("Pad_mode", CONSTANT=1, MIRRORED=2, REPEAT_NEAREST=3),
    enum("Interp_mode", LINEAR=1, AREA=2, NEAREST=3, CUBIC=4, LANCZOS4=5),
    optional("float", "prob", default=1.0),
    optional("Resize_mode", "resize_mode", default="WARP"),
    optional("uint32", "height", default=0),
    optional("uint32", "width", default=0),
    optional("uint32", "height_scale", default=0),
    optional("uint32", "width_scale", default=0),
    optional("Pad_mode", "pad_mode", default="CONSTANT"),
    repeated("float", "pad_value"),
    repeated("Interp_mode", "interp_mode"),
)
declare_message(
    "SaltPepperParameter",
    optional("float", "fraction", default=0.0),
    repeated("float", "value"),
)
declare_message(
    "SampleConstraint",
    optional("float", "min_jaccard_overlap"),
    optional("float", "max_jaccard_overlap"),
    optional("float", "min_sample_coverage"),
    optional("float", "max_sample_coverage"),
    optional("float", "min_object_coverage"),
    optional("float", "max_object_coverage"),
)
declare_message(
    "Sampler",
    optional("float", "min_scale", default=1.0),
    optional("float", "max_scale", default=1.0),
    optional("float", "min_aspect_ratio", default=1.0),
    optional("float", "max_aspect_ratio", default=1.0),
)
declare_message(
    "SaveOutputParameter",
    optional("string", "output_directory"),
    optional("string", "output_name_prefix"),
    optional("string", "output_format"),
    optional("string", "label_map_file"),
    optional("string", "name_size_file"),
    optional("uint32", "num_test_image"),
    optional("ResizeParameter", "resize_param"),
)
declare_message(
    "VideoDataParameter",
    enum("VideoType", WEBCAM=0, VIDEO=1),
    optional("VideoType", "video_type", default="WEBCAM"),
    optional("int32", "device_id", default=0),
    optional("string", "video_file"),
    optional("uint32", "skip_frames", default=0),
)
extend_message(
    "DropoutParameter",
    optional("bool", "scale_train", default=True),
)
extend_message(
    "LayerParameter",
    optional("AnnotatedDataParameter", "annotated_data_param"),
    optional("DetectionEvaluateParameter", "detection_evaluate_param"),
    optional("DetectionOutputParameter", "detection_output_param"),
    optional("MultiBoxLossParameter", "multibox_loss_param"),
    optional("NormalizeParameter", "norm_param"),
    optional("PermuteParameter", "permute_param"),
    optional("PriorBoxParameter", "prior_box_param"),
    optional("VideoDataParameter", "video_data_param"),
    optional("BoxAnnotatorOHEMParameter", "box_annotator_ohem_param"),
    optional("PSROIPoolingParameter", "psroi_pooling_param"),
    optional("ROIPoolingParameter", "roi_pooling_param"),
    optional("SmoothL1LossParameter", "smooth_l1_loss_param"),
    optional("MILDataParameter", "mil_data_param"),
    optional("MILParameter", "mil_param"),
)
extend_message(
    "LossParameter",
    optional("float", "pre_fixed_normalizer", default=1.0),
)
extend_message(
    "SolverParameter",
    optional("string", "eval_type", default="classification"),
    optional("string", "ap_version", default="Integral"),
    optional("bool", "show_per_class_result", default=False),
    repeated("int32", "plateau_winsize"),
)
extend_message(
    "TransformationParameter",
    optional("uint32", "crop_h", default=0),
    optional("uint32", "crop_w", default=0),
    optional("ResizeParameter", "resize_param", further="further_resize_param"),
    repeated("ResizeParameter", "further_resize_param", written="resize_param"),
    optional("NoiseParameter", "noise_param"),
    optional("DistortionParameter", "distort_param"),
    optional("ExpansionParameter", "expand_param"),
    optional("EmitConstraint", "emit_constraint"),
    # xiaohaoChen/rrc_detection's, which has no dialect: its other numbers are SSD's.
    optional("bool", "hsv", default=False),
    optional("bool", "gaussianblur", default=False),
)

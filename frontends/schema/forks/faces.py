"""caffe-face and happynear's caffe-windows: faces and metric learning."""

from __future__ import annotations

from ..registry import declare_enum, declare_message, extend_message
from ..types import enum, optional, repeated

declare_enum(enum("Type", DOUBLE=0, FLOAT=1, FLOAT16=2, INT=3, UINT=4, BOOL=5))
declare_message(
    "BatchContrastiveParameter",
    optional("float", "positive_margin", default=1.0),
    optional("float", "negative_margin", default=1.0),
    optional("float", "positive_weight", default=1.0),
    optional("float", "negative_weight", default=1.0),
    optional("bool", "max_only", default=False),
)
declare_message(
    "ChannelScaleParameter",
    optional("bool", "do_forward", default=True),
    optional("bool", "do_backward_feature", default=True),
    optional("bool", "do_backward_scale", default=True),
    optional("bool", "global_scale", default=False),
    optional("float", "max_global_scale", default=1000.0),
    optional("float", "min_global_scale", default=0.0),
    optional("float", "init_global_scale", default=1.0),
)
declare_message(
    "ConfidencePenaltyLossParameter",
    optional("float", "beta", default=0.1),
)
declare_message(
    "EltwiseAffineParameter",
    optional("FillerParameter", "slope_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("bool", "channel_shared", default=False),
)
declare_message(
    "ExpTripletParameter",
    optional("float", "scale", default=1.0),
    optional("float", "margin", default=0.0),
)
declare_message(
    "FCNDataParameter",
    optional("uint32", "template_h", default=48),
    optional("uint32", "template_w", default=42),
    optional("float", "expand_left", default=0.25),
    optional("float", "expand_right", default=0.25),
    optional("float", "expand_top", default=0.5),
    optional("float", "expand_bottom", default=0.25),
    optional("float", "roi_multiply_h", default=5.0),
    optional("float", "roi_multiply_w", default=5.0),
    optional("float", "scale_step", default=1.1),
    optional("int32", "scale_step_num", default=5),
    optional("int32", "gaussian_size_h", default=7),
    optional("int32", "gaussian_size_w", default=7),
    optional("float", "gaussian_std_h", default=1.5),
    optional("float", "gaussian_std_w", default=1.5),
    optional("bool", "use_hog", default=False),
    optional("int32", "hog_cell_size", default=4),
    optional("float", "min_iou", default=0.8),
)
declare_message(
    "FeatureDecayLossParameter",
    optional("float", "decay_threshold", default=20.0),
    optional("bool", "force_decay", default=False),
    optional("float", "incay_threshold", default=10.0),
)
declare_message(
    "FlipParameter",
    optional("bool", "flip_width", default=True),
    optional("bool", "flip_height", default=False),
)
declare_message(
    "FocalLossParameter",
    enum("Type", ORIGIN=0, LINEAR=1, ONEADDP=2),
    optional("Type", "type", default="ORIGIN"),
    optional("float", "gamma", default=2.0),
    optional("float", "alpha", default=1.0),
    optional("float", "beta", default=1.0),
)
declare_message(
    "GeneralContrastiveParameter",
    optional("float", "positive_margin", default=0.0),
    optional("float", "negative_margin", default=1.0),
    optional("float", "positive_weight", default=1.0),
    optional("float", "negative_weight", default=1.0),
    optional("float", "normalize_negative", default=0.0),
    optional("float", "positive_outlier_thresh", default=4.0),
    optional("bool", "square", default=False),
    optional("bool", "max_negative_only", default=False),
    optional("bool", "max_positive_only", default=False),
    optional("bool", "positive_first", default=False),
    optional("float", "positive_upper_bound", default=1.0),
    optional("bool", "exp_negative_weight", default=False),
    optional("bool", "add_intra_mae", default=False),
    optional("float", "max_negative_margin", default=1.2),
)
declare_message(
    "GeneralTripletParameter",
    optional("float", "margin", default=0.2),
    optional("bool", "add_center_loss", default=True),
    optional("bool", "hardest_only", default=False),
    optional("bool", "positive_first", default=False),
    optional("float", "positive_upper_bound", default=1.0),
    optional("float", "positive_weight", default=1.0),
    optional("float", "negative_weight", default=1.0),
)
declare_message(
    "HotspotParameter",
    optional("float", "gaussian_std", default=1.0),
    optional("uint32", "output_height", default=0),
    optional("uint32", "output_width", default=0),
    optional("uint32", "data_height", default=0),
    optional("uint32", "data_width", default=0),
    optional("bool", "mean_removed", default=True),
)
declare_message(
    "InfimumLossParamter",
    optional("float", "infimum", default=0.25),
)
declare_message(
    "InnerDistanceParameter",
    optional("uint32", "num_output"),
    optional("bool", "bias_term", default=True),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("int32", "axis", default=1),
    optional("bool", "transpose", default=False),
    optional("string", "distance_type", default="L2"),
    optional("bool", "normalize", default=False),
    optional("bool", "update_center_only", default=False),
)
declare_message(
    "InsanityParameter",
    optional("float", "lb", default=5.0),
    optional("float", "ub", default=10.0),
)
declare_message(
    "LabelSpecificAddParameter",
    optional("float", "bias", default=0.0),
    optional("bool", "transform_test", default=False),
    optional("float", "bias_base", default=0.0),
    optional("float", "bias_gamma", default=0.0),
    optional("float", "bias_power", default=1.0),
    optional("float", "bias_min", default=0.0),
    optional("float", "bias_max", default=0.0),
    optional("uint32", "iteration", default=0),
)
declare_message(
    "LabelSpecificAffineParameter",
    optional("float", "scale_base", default=1.0),
    optional("float", "scale_gamma", default=0.0),
    optional("float", "scale_power", default=1.0),
    optional("float", "scale_max", default=1.0),
    optional("bool", "transform_test", default=False),
    optional("uint32", "iteration", default=0),
    optional("float", "bias_base", default=0.0),
    optional("float", "bias_gamma", default=0.0),
    optional("float", "bias_power", default=1.0),
    optional("float", "bias_max", default=0.0),
    optional("float", "power_base", default=1.0),
    optional("float", "power_gamma", default=0.0),
    optional("float", "power_power", default=-1.0),
    optional("float", "power_min", default=0.5),
    optional("bool", "auto_tune", default=False),
    optional("bool", "reset", default=False),
    optional("float", "scale_min", default=1.0),
    optional("float", "bias_min", default=0.0),
    optional("float", "power_max", default=1.0),
    optional("bool", "original_bp", default=False),
    optional("float", "scale_factor", default=30.0),
    optional("bool", "protect_low_bound", default=False),
)
declare_message(
    "LabelSpecificHardMarginParameter",
    optional("float", "positive_weight", default=0.5),
)
declare_message(
    "LabelSpecificMarginParameter",
    enum("MarginType", HARD=0, SOFT=1),
    optional("MarginType", "type", default="HARD"),
    optional("float", "margin_base", default=0.0),
    optional("float", "margin_max", default=10.0),
    optional("float", "power", default=1.0),
    optional("float", "gamma", default=1.0),
    optional("int32", "iteration", default=0),
    optional("bool", "reset_margin", default=False),
    optional("bool", "margin_on_test", default=False),
    optional("bool", "auto_tune", default=False),
    optional("bool", "pass_bp", default=False),
)
declare_message(
    "LabelSpecificRescaleParameter",
    optional("float", "positive_weight", default=1.0),
    optional("float", "negative_weight", default=1.0),
    optional("float", "positive_lower_bound", default=0.0),
    optional("float", "negative_upper_bound", default=0.0),
    optional("bool", "rescale_test", default=False),
    optional("bool", "for_ip", default=False),
    optional("float", "positive_weight_base", default=0.0),
    optional("float", "gamma", default=0.0),
    optional("float", "power", default=1.0),
    optional("float", "positive_weight_min", default=0.0),
    optional("float", "positive_weight_max", default=0.0),
    optional("uint32", "iteration", default=0),
    optional("bool", "bias_fix", default=False),
    optional("bool", "power_on_positive", default=False),
    optional("bool", "do_backward", default=True),
)
declare_message(
    "LabelSpecificStatisticsParameter",
    optional("bool", "scale_for_angle", default=True),
    optional("float", "scale_factor", default=30.0),
)
declare_message(
    "LargeMarginInnerProductParameter",
    enum("LargeMarginType", SINGLE=0, DOUBLE=1, TRIPLE=2, QUADRUPLE=3),
    optional("uint32", "num_output"),
    optional("LargeMarginType", "type", default="SINGLE"),
    optional("FillerParameter", "weight_filler"),
    optional("int32", "axis", default=1),
    optional("float", "base", default=1.0),
    optional("float", "gamma", default=0.0),
    optional("float", "power", default=1.0),
    optional("int32", "iteration", default=0),
    optional("float", "lambda_min", default=0.0),
)
declare_message(
    "MarginInnerProductParameter",
    enum("MarginType", SINGLE=0, DOUBLE=1, TRIPLE=2, QUADRUPLE=3),
    optional("uint32", "num_output"),
    optional("MarginType", "type", default="SINGLE"),
    optional("FillerParameter", "weight_filler"),
    optional("int32", "axis", default=1),
    optional("float", "base", default=1.0),
    optional("float", "gamma", default=0.0),
    optional("float", "power", default=1.0),
    optional("int32", "iteration", default=0),
    optional("float", "lambda_min", default=0.0),
)
declare_message(
    "NCAParameter",
    optional("bool", "min_negative_only", default=False),
)
declare_message(
    "NoiseParameter",
    optional("float", "gaussian_std", default=0.0),
    optional("float", "uniform_range", default=0.0),
    optional("float", "bias", default=0.0),
)
declare_message(
    "OrdinalRegressionParameter",
    optional("uint32", "k"),
    optional("string", "weight_file"),
)
declare_message(
    "PairwiseParameter",
    enum("PairwiseOp", SUM=1, PROD=2, MAX=3),
    optional("PairwiseOp", "operation", default="SUM"),
    repeated("float", "coeff"),
)
declare_message(
    "PredictBoxParameter",
    optional("uint32", "stride", default=2),
    optional("uint32", "receptive_field", default=12),
    optional("bool", "nms", default=True),
    optional("bool", "output_vector", default=True),
    optional("float", "positive_thresh", default=0.5),
    optional("bool", "bbreg_exp", default=True),
)
declare_message(
    "ResizeParameter",
    optional("bool", "is_pyramid_test", default=False),
    optional("float", "out_height_scale"),
    optional("float", "out_width_scale"),
)
declare_message(
    "SmoothL1Parameter",
    optional("float", "turn_point", default=1.0),
)
declare_message(
    "SoftContrastiveParameter",
    optional("float", "positive_margin", default=1.0),
    optional("float", "negative_margin", default=1.0),
    optional("float", "positive_weight", default=1.0),
    optional("float", "negative_weight", default=1.0),
    optional("float", "exponent_scale", default=1.0),
    optional("bool", "square", default=False),
)
declare_message(
    "SoftTruncationParameter",
    optional("float", "c", default=2.0),
)
declare_message(
    "SubRegionParameter",
    optional("uint32", "region_height"),
    optional("uint32", "region_width"),
    optional("uint32", "data_height"),
    optional("uint32", "data_width"),
    optional("uint32", "as_dim", default=1),
)
declare_message(
    "TripletLossParameter",
    optional("float", "margin", default=1.0),
)
declare_message(
    "TruncationParameter",
    optional("float", "lower_bound", default=0.0),
    optional("float", "upper_bound", default=5.0),
)
extend_message(
    "AccuracyParameter",
    optional("bool", "min_is_better", default=False),
)
extend_message(
    "BatchNormParameter",
    optional("FillerParameter", "scale_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("bool", "disable_mean", default=False),
    optional("bool", "disable_variance", default=False),
)
extend_message(
    "ConvolutionParameter",
    enum("CuDNNConvolutionAlgorithmSeeker", GET=0, FINDEX=1),
    optional(
        "CuDNNConvolutionAlgorithmSeeker",
        "cudnn_convolution_algo_seeker",
        default="FINDEX",
        execution_only=True,
    ),
    repeated("uint32", "shape_offset"),
)
extend_message(
    "DropoutParameter",
    optional("bool", "sqrt_scale", default=False),
)
extend_message(
    "FillerParameter",
    optional("float", "alpha", default=0.0),
)
extend_message(
    "ImageDataParameter",
    optional("bool", "face_transform", default=False),
    optional("float", "max_shear_ratio", default=0.0),
    optional("float", "max_aspect_ratio", default=0.0),
    optional("float", "max_rotate_angle", default=0.0),
    optional("float", "min_random_scale", default=1.0),
    optional("float", "max_random_scale", default=1.0),
    optional("uint32", "max_random_shift", default=0),
    optional("bool", "face_mirror", default=False),
    optional("uint32", "face_point_num", default=0),
    optional("bool", "balance_class", default=False),
    optional("uint32", "balance_by", default=0),
    optional("uint32", "label_cut_start", default=0),
    optional("uint32", "label_cut_end", default=0),
)
extend_message(
    "InnerProductParameter",
    optional("bool", "normalize", default=False),
)
extend_message(
    "LayerParameter",
    optional("LocalParameter", "local_param"),
    optional("InsanityParameter", "insanity_param"),
    optional("TripletLossParameter", "triplet_loss_param"),
    optional("EltwiseAffineParameter", "eltwise_affine_param"),
    optional("SubRegionParameter", "sub_region_param"),
    optional("NoiseParameter", "noise_param"),
    optional("HotspotParameter", "hotspot_param"),
    optional("PredictBoxParameter", "predict_box_param"),
    optional("FCNDataParameter", "fcn_data_param"),
    optional("CenterLossParameter", "center_loss_param"),
    optional("FlipParameter", "flip_param"),
    optional("InnerDistanceParameter", "inner_distance_param"),
    optional("NormalizeParameter", "normalize_param"),
    optional("GeneralContrastiveParameter", "general_contrastive_loss_param"),
    optional("SoftContrastiveParameter", "soft_contrastive_loss_param"),
    optional("GeneralTripletParameter", "general_triplet_loss_param"),
    optional("SoftTruncationParameter", "soft_truncation_param"),
    optional("ProposalParameter", "proposal_param"),
    optional("PairwiseParameter", "pairwise_param"),
    optional("SmoothL1Parameter", "smoothl1_param"),
    optional("BatchContrastiveParameter", "batch_contrastive_loss_param"),
    optional("TruncationParameter", "truncation_param"),
    optional("NCAParameter", "nca_param"),
    optional("LargeMarginInnerProductParameter", "largemargin_inner_product_param"),
    optional("LabelSpecificRescaleParameter", "label_specific_rescale_param"),
    optional("InfimumLossParamter", "infimum_loss_param"),
    optional("OrdinalRegressionParameter", "ordinal_regression_loss_param"),
    optional("ResizeParameter", "resize_param"),
    optional("MarginInnerProductParameter", "margin_inner_product_param"),
    optional("FeatureDecayLossParameter", "feature_decay_loss_param"),
    optional("ConfidencePenaltyLossParameter", "confidence_penalty_loss_param"),
    optional("FocalLossParameter", "focal_loss_param"),
    optional("LabelSpecificMarginParameter", "label_specific_margin_param"),
    optional("ChannelScaleParameter", "channel_scale_param"),
    optional("LabelSpecificAffineParameter", "label_specific_affine_param"),
    optional("LabelSpecificHardMarginParameter", "label_specific_hard_margin_param"),
    optional("LabelSpecificAddParameter", "label_specific_add_param"),
    optional("LabelSpecificStatisticsParameter", "label_specific_statistics_param"),
    optional("ExpTripletParameter", "exp_triplet_loss_param"),
)
extend_message(
    "MemoryDataParameter",
    optional("bool", "transpose", default=False),
)
extend_message(
    "ParameterParameter",
    optional("FillerParameter", "blob_filler"),
)
extend_message(
    "ParamSpec",
    optional("bool", "fix_lr", default=False),
)
extend_message(
    "PoolingParameter",
    optional("float", "blobs_lr"),
    optional("float", "blobs_a_min", default=0.0001),
)
extend_message(
    "ScaleParameter",
    optional("float", "min_value"),
    optional("float", "max_value"),
)
extend_message(
    "SoftmaxParameter",
    optional("float", "hard_ratio", default=1.0),
    repeated("float", "class_weight"),
    optional("int32", "hard_mining_label"),
    optional("float", "cutting_point"),
    optional("string", "normalize_type", default="Softmax"),
    optional("float", "label_smooth_factor", default=0.0),
    optional("float", "margin", default=0.0),
)
extend_message(
    "SolverParameter",
    optional("float", "clamp_weights_lower", default=-999999.875),
    optional("float", "clamp_weights_upper", default=999999.875),
    optional("float", "clip_weights", default=-1.0),
)
extend_message(
    "TransformationParameter",
    optional("bool", "center_crop", default=False),
    optional("float", "erase_ratio", default=0.0),
    optional("float", "scale_min", default=0.02),
    optional("float", "scale_max", default=0.4),
    optional("float", "aspect_min", default=0.33),
    optional("float", "aspect_max", default=3.0),
)
extend_message(
    "V1LayerParameter",
    optional("BNParameter", "bn_param"),
    optional("LocalParameter", "local_param"),
    optional("PReLUParameter", "prelu_param"),
    optional("InsanityParameter", "insanity_param"),
    optional("TripletLossParameter", "triplet_loss_param"),
    optional("ROIPoolingParameter", "roi_pooling_param"),
    optional("EltwiseAffineParameter", "eltwise_affine_param"),
    optional("SubRegionParameter", "sub_region_param"),
    optional("NoiseParameter", "noise_param"),
)

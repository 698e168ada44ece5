"""NVCaffe (NVIDIA/caffe)."""

from __future__ import annotations

from ..registry import declare_enum, declare_message, extend_message
from ..types import enum, optional, repeated, required

declare_enum(enum("Packing", NCHW=0, NHWC=1))
declare_message(
    "AnnotatedDatum",
    optional("uint32", "record_id", default=0),
)
declare_message(
    "DetectNetAugmentationParameter",
    optional("float", "crop_prob", default=1.0),
    optional("uint32", "shift_x", default=0),
    optional("uint32", "shift_y", default=0),
    optional("float", "scale_prob", default=0.33),
    optional("float", "scale_min", default=0.7),
    optional("float", "scale_max", default=1.0),
    optional("float", "flip_prob", default=0.33),
    optional("float", "rotation_prob", default=0.33),
    optional("float", "max_rotate_degree", default=1.0),
    optional("float", "hue_rotation_prob", default=0.33),
    optional("float", "hue_rotation", default=15.0),
    optional("float", "desaturation_prob", default=0.33),
    optional("float", "desaturation_max", default=0.5),
    optional("ResizeParameter", "resize_param"),
    optional("NoiseParameter", "noise_param"),
    optional("DistortionParameter", "distort_param"),
    optional("ExpansionParameter", "expand_param"),
    optional("EmitConstraint", "emit_constraint"),
)
declare_message(
    "DetectNetGroundTruthParameter",
    enum("GridboxType", GRIDBOX_MAX=0, GRIDBOX_MIN=1),
    enum("CoverageType", RECTANGULAR=0),
    optional("uint32", "stride", default=4),
    optional("float", "scale_cvg", default=0.5),
    optional("GridboxType", "gridbox_type", default="GRIDBOX_MAX"),
    optional("uint32", "max_cvg_len", default=50),
    optional("uint32", "min_cvg_len", default=50),
    optional("CoverageType", "coverage_type", default="RECTANGULAR"),
    optional("uint32", "image_size_x", default=1248),
    optional("uint32", "image_size_y", default=384),
    optional("bool", "obj_norm", default=False),
    optional("bool", "crop_bboxes", default=True),
    repeated("DetectNetGroundTruthParameter.ClassMapping", "object_class"),
)
declare_message(
    "DetectNetGroundTruthParameter.ClassMapping",
    required("uint32", "src"),
    required("uint32", "dst"),
)
declare_message(
    "MultiBoxLossParameter",
    optional("bool", "ignore_difficult_gt", default=False),
)
declare_message(
    "TRTParameter",
    enum("TRTMode", FP32=0, FP16=1, INT8=2),
    optional("TRTMode", "trt_mode", default="INT8"),
    optional("uint32", "top_k", default=1),
    optional("string", "deploy"),  # required there: the layer says so here
    optional("string", "model"),
    repeated("string", "deploy_outputs"),
    optional("string", "calibrator"),
)
extend_message(
    "BatchNormParameter",
    optional("bool", "scale_bias", default=False),
    optional("bool", "moving_averages", default=False),  # says what NVCaffe does unasked
)
extend_message(
    "ConvolutionParameter",
    optional("string", "conv_algos_override", default="-1,-1,-1", execution_only=True),
)
extend_message(
    "DataParameter",
    optional("uint32", "threads", default=0, execution_only=True),
    optional("uint32", "parser_threads", default=0, execution_only=True),
    optional("bool", "cache", default=False, execution_only=True),
    optional("bool", "shuffle", default=False),
    optional("bool", "precache", default=False, execution_only=True),
)
extend_message(
    "DropoutParameter",
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("int64", "random_seed", default=-1),
)
extend_message(
    "ELUParameter",
    optional("float", "lambda", default=1.0),
)
extend_message(
    "ImageDataParameter",
    optional("uint32", "short_side", default=0),
    optional("uint32", "threads", default=4, execution_only=True),
    optional("bool", "cache", default=False, execution_only=True),
    optional("bool", "precache", default=False, execution_only=True),
    optional("float", "dataset_share_per_node", default=1.0, execution_only=True),
)
extend_message(
    "LayerParameter",
    optional("Type", "forward_type", default="FLOAT", execution_only=True),
    optional("Type", "backward_type", default="FLOAT", execution_only=True),
    optional("Type", "forward_math", default="FLOAT", execution_only=True),
    optional("Type", "backward_math", default="FLOAT", execution_only=True),
    optional("bool", "debug", default=False, execution_only=True),
    optional("int32", "cudnn_math_override", default=-1, execution_only=True),
    optional("TRTParameter", "trt_param"),
    optional("DetectNetGroundTruthParameter", "detectnet_groundtruth_param"),
    optional("DetectNetAugmentationParameter", "detectnet_augmentation_param"),
)
extend_message(
    "LossParameter",
    optional("float", "label_smoothing", default=0.0),
)
extend_message(
    "NetParameter",
    optional("Type", "default_forward_type", default="FLOAT", execution_only=True),
    optional("Type", "default_backward_type", default="FLOAT", execution_only=True),
    optional("Type", "default_forward_math", default="FLOAT", execution_only=True),
    optional("Type", "default_backward_math", default="FLOAT", execution_only=True),
    optional("float", "global_grad_scale", default=1.0, execution_only=True),
    optional("bool", "global_grad_scale_adaptive", default=False, execution_only=True),
    optional("string", "default_conv_algos_override", default="-1,-1,-1", execution_only=True),
    optional("int32", "reduce_buckets", default=6, execution_only=True),
    optional("int32", "default_cudnn_math_override", default=-1, execution_only=True),
    optional("bool", "eltwise_mem_sharing", default=True, execution_only=True),
)
extend_message(
    "PoolingParameter",
    optional("bool", "torch_pooling", default=False),
)
extend_message(
    "SolverParameter",
    optional("int32", "rampup_interval", default=0),
    optional("float", "rampup_lr", default=0.0),
    optional("float", "min_lr", default=0.0),
    optional("string", "momentum_policy", default="fixed"),
    optional("float", "max_momentum", default=0.99),
    optional("float", "momentum_power", default=1.0),
    optional("bool", "larc", default=False),
    optional("string", "larc_policy", default="scale"),
    optional("float", "larc_eta", default=0.001),
    optional("bool", "larc_turbo", default=False),
    optional("string", "weight_decay_policy", default="fixed"),
    optional("float", "weight_decay_power", default=1.0),
    optional("float", "max_weight_decay", default=0.0),
    optional("Type", "solver_data_type", default="FLOAT", execution_only=True),
    optional("bool", "store_blobs_in_old_format", default=False, execution_only=True),
    optional("int32", "test_and_snapshot_last_epochs", default=0),
    optional("bool", "per_parameter_reduce", default=True, execution_only=True),
)
extend_message(
    "TransformationParameter",
    enum("InterpolationAlgo", INTER_NEAREST=0, INTER_LINEAR=1, INTER_CUBIC=2, INTER_AREA=3),
    optional("uint32", "img_rand_resize_lower", default=0),
    optional("uint32", "img_rand_resize_upper", default=0),
    optional("float", "rand_resize_ratio_lower", default=0.0),
    optional("float", "rand_resize_ratio_upper", default=0.0),
    optional("float", "vertical_stretch_lower", default=1.0),
    optional("float", "vertical_stretch_upper", default=1.0),
    optional("float", "horizontal_stretch_lower", default=1.0),
    optional("float", "horizontal_stretch_upper", default=1.0),
    optional("InterpolationAlgo", "interpolation_algo_down", default="INTER_NEAREST"),
    optional("InterpolationAlgo", "interpolation_algo_up", default="INTER_CUBIC"),
    optional("bool", "allow_upscale", default=False),
    optional("Packing", "forward_packing", default="NCHW", execution_only=True),
    optional("bool", "use_gpu_transform", default=False, execution_only=True),
    optional("int64", "random_seed", default=-1, execution_only=True),
    optional("bool", "display", default=False, execution_only=True),
    optional("int32", "num_labels", default=0),
)

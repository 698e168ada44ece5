"""Intel's Caffe and BVLC's OpenCL branch."""

from __future__ import annotations

from ..registry import declare_enum, declare_message, extend_message
from ..types import enum, optional, repeated, required

declare_enum(
    enum(
        "DataType",
        CAFFE_FLOAT=0,
        CAFFE_HALF=1,
        CAFFE_DOUBLE=2,
        CAFFE_INT8_QUANTIZED=3,
        CAFFE_INT16_QUANTIZED=4,
        CAFFE_INT32_QUANTIZED=5,
        CAFFE_INT64_QUANTIZED=6,
        CAFFE_PACKED_BINARY=7,
    )
)
declare_enum(
    enum("QuantizerMode", CAFFE_QUANT_PASSIVE=0, CAFFE_QUANT_OBSERVE=1, CAFFE_QUANT_PSEUDO=2)
)
declare_enum(
    enum(
        "Autotune",
        CAFFE_AUTOTUNE_DISABLED=0,
        CAFFE_AUTOTUNE_FUNCTION=1,
        CAFFE_AUTOTUNE_FUNCTION_PARAMETER=2,
    )
)
declare_message(
    "AffinityParameter",
    repeated("int64", "offset"),
)
declare_message(
    "CompileNetState",
    optional("bool", "is_init", default=True),
    optional("bool", "bn_scale_remove", default=False),
    optional("bool", "bn_scale_merge", default=False),
    repeated("string", "kept_bn_layers"),
    repeated("string", "negative_conv_names"),
    repeated("uint32", "negative_conv_indexes"),
)
declare_message(
    "EvalDetectionParameter",
    enum("ScoreType", OBJ=0, PROB=1, MULTIPLY=2),
    optional("uint32", "side", default=7),
    optional("uint32", "num_class", default=20),
    optional("uint32", "num_object", default=2),
    optional("float", "threshold", default=0.5),
    optional("bool", "sqrt", default=True),
    optional("bool", "constriant", default=True),
    optional("ScoreType", "score_type", default="MULTIPLY"),
    optional("float", "nms", default=-1.0),
    repeated("float", "biases"),
)
declare_message(
    "MergeCropParameter",
    enum("MergeOp", STACK=0, ADD=1),
    optional("MergeOp", "operation", default="STACK"),
    repeated("bool", "forward"),
    repeated("bool", "backward"),
)
declare_message(
    "MnActivationParameter",
    optional("uint32", "num_nodes_in"),
    optional("uint32", "num_nodes_out"),
    optional("uint32", "model_parts_in", default=1),
    optional("uint32", "model_parts_out", default=1),
    optional("bool", "need_reduce", default=True),
)
declare_message(
    "MnModelParallelParameter",
    required("string", "layer_from"),
    optional("string", "layer_to"),
    optional("uint32", "num_nodes"),
    optional("uint32", "model_parts"),
)
declare_message(
    "MnParamGradCompressLayerTypeList",
    repeated("string", "layer_type"),
)
declare_message(
    "MnParamGradCompressParameter",
    repeated("bool", "param_grad_compress_enable"),
)
declare_message(
    "MOEParameter",
    enum("BottomMapping", GATING=1, EXPERT=2, GATING_AND_EXPERT=3),
    optional("NetParameter", "gating_net"),
    repeated("NetParameter", "expert_net"),
    repeated("int64", "expert_instances"),
    optional("int64", "select_experts"),
    optional("bool", "full_forward", default=False),
    repeated("BottomMapping", "map_bottom"),
)
declare_message(
    "MultinodeLayerParameter",
    optional("uint32", "num_nodes"),
    optional("uint32", "model_parts", default=1),
)
declare_message(
    "MultinodeParameter",
    repeated("MnModelParallelParameter", "model_parallel"),
    optional("MnParamGradCompressLayerTypeList", "compress_layer_type_list"),
)
declare_message(
    "NoiseParameter",
    optional("float", "mu", default=0.0),
    optional("float", "sigma", default=1.0),
)
declare_message(
    "QuantizationParameter",
    enum("Precision", DYNAMIC_FIXED_POINT=0),
    enum("Rounding", NEAREST=0),
    optional("Precision", "precision", default="DYNAMIC_FIXED_POINT"),
    optional("Rounding", "rounding_scheme", default="NEAREST"),
    optional("uint32", "bw_layer_in", default=32),
    optional("uint32", "bw_layer_out", default=32),
    optional("uint32", "bw_params", default=32),
    repeated("int32", "fl_layer_in"),
    repeated("int32", "fl_layer_out"),
    repeated("int32", "fl_params"),
    repeated("float", "scale_in"),
    repeated("float", "scale_out"),
    repeated("float", "scale_params"),
    optional("bool", "is_negative_input", default=False),
    optional("bool", "force_u8_input", default=False),
)
declare_message(
    "QuantizerParameter",
    optional("string", "name"),
    optional("int64", "zone"),
    optional("DataType", "input_data_type"),
    optional("DataType", "output_data_type"),
    optional("double", "observed_max"),
    optional("double", "observed_min"),
    optional("double", "max_in"),
    optional("double", "min_in"),
    optional("double", "max_out"),
    optional("double", "min_out"),
    optional("QuantizerMode", "mode", default="CAFFE_QUANT_PASSIVE"),
    optional("DataType", "pseudo_target_type", default="CAFFE_INT8_QUANTIZED"),
    optional("bool", "pseudo_reset_observed", default=False),
    optional("int64", "device", default=-1),
)
declare_message(
    "RandomAspectRatioParameter",
    optional("float", "min_area_ratio", default=0.5),
    optional("float", "max_area_ratio", default=1.0),
    optional("float", "aspect_ratio_change", default=1.0),
    optional("uint32", "max_attempt", default=10),
    optional("ResizeParameter", "resize_param"),
)
declare_message(
    "RandomResizeParameter",
    optional("uint32", "min_size", default=0),
    optional("uint32", "max_size", default=0),
    optional("ResizeParameter", "resize_param"),
)
declare_message(
    "RegionLossParameter",
    optional("uint32", "side", default=13),
    optional("uint32", "num_class", default=20),
    optional("uint32", "bias_match", default=1),
    optional("uint32", "coords", default=4),
    optional("uint32", "num", default=5),
    optional("uint32", "softmax", default=1),
    optional("float", "jitter", default=0.2),
    optional("uint32", "rescore", default=1),
    optional("float", "object_scale", default=1.0),
    optional("float", "class_scale", default=1.0),
    optional("float", "noobject_scale", default=0.5),
    optional("float", "coord_scale", default=5.0),
    optional("uint32", "absolute", default=1),
    optional("float", "thresh", default=0.2),
    optional("uint32", "random", default=1),
    repeated("float", "biases"),
    optional("string", "softmax_tree"),
    optional("string", "class_map"),
)
declare_message(
    "SpatialDropoutParameter",
    optional("float", "dropout_ratio", default=0.5),
)
declare_message(
    "SplitParameter",
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
)
extend_message(
    "BatchNormParameter",
    optional("bool", "use_weight_bias", default=True),
    optional("bool", "bias_term", default=True),
    optional("FillerParameter", "filler"),
    optional("uint32", "stats_batch_size", default=0, execution_only=True),
    optional("bool", "relu", default=False),
    optional("bool", "fused_relu", default=False),
)
extend_message(
    "ConcatParameter",
    optional("bool", "per_fla_fuse", default=False, execution_only=True),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
)
extend_message(
    "ConvolutionParameter",
    enum("FusionType", NONE_FUSION=0, SUM_FUSION=1),
    enum(
        "FuseType",
        UNFUSED=0,
        FUSED_CONV_MAX_POOLING_RELU=1,
        FUSED_CONV_RELU=2,
        FUSED_CONV_ELTWISE_RELU=3,
    ),
    optional("bool", "relu", default=False),
    optional("float", "negative_slope", default=0.0),
    optional("string", "conv_algorithm", default="direct", execution_only=True),
    repeated("float", "coeff"),
    optional("FusionType", "fusion_type", default="NONE_FUSION"),
    optional("FuseType", "fuse_type", default="UNFUSED"),
    optional("EltwiseParameter", "eltwise_param"),
    optional("ReLUParameter", "relu_param"),
)
extend_message(
    "DataParameter",
    repeated("uint32", "side"),
)
extend_message(
    "EltwiseParameter",
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
)
extend_message(
    "FillerParameter",
    optional("float", "scale", default=1.0),
)
extend_message(
    "ImageDataParameter",
    optional("uint32", "min_height", default=0),
    optional("uint32", "min_width", default=0),
)
extend_message(
    "InnerProductParameter",
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("bool", "relu", default=False),
    optional("float", "negative_slope", default=0.0),
)
extend_message(
    "LayerParameter",
    optional("SplitParameter", "split_param"),
    optional("SpatialDropoutParameter", "spatial_dropout_param"),
    optional("string", "engine", execution_only=True),
    optional("MultinodeLayerParameter", "multinode", execution_only=True),
    optional("MnActivationParameter", "mn_activation_param", execution_only=True),
    optional("MnParamGradCompressParameter", "mn_grad_compress_param", execution_only=True),
    optional("QuantizationParameter", "quantization_param", execution_only=True),
    optional("ReorgParameter", "reorg_param"),
    optional("RegionLossParameter", "region_loss_param"),
    optional("EvalDetectionParameter", "eval_detection_param"),
    optional("DataType", "bottom_data_type", execution_only=True),
    optional("DataType", "compute_data_type", execution_only=True),
    optional("DataType", "top_data_type", execution_only=True),
    repeated("QuantizerParameter", "bottom_quantizer", execution_only=True),
    repeated("QuantizerParameter", "top_quantizer", execution_only=True),
    optional("QuantizerParameter", "net_quantizer", execution_only=True),
    repeated("QuantizerParameter", "blobs_quantizer", execution_only=True),
    optional("Autotune", "autotune", execution_only=True),
    optional("int64", "device", default=-1, execution_only=True),
    repeated("int64", "bottom_shared_index"),
    repeated("int64", "top_shared_index"),
    optional("MergeCropParameter", "mergecrop_param"),
    optional("AffinityParameter", "affinity_param"),
    optional("MOEParameter", "moe_param"),
)
extend_message(
    "LRNParameter",
    enum("FuseType", UNFUSED=0, FUSED_POOL_MAX=1),
    optional("FuseType", "fuse_type", default="UNFUSED"),
    optional("PoolingParameter", "pooling_param"),
    optional("bool", "unit_test_mode", default=False, execution_only=True),
    optional("bool", "unit_test_fuse_kernel", default=False, execution_only=True),
)
extend_message(
    "MemoryDataParameter",
    repeated("uint64", "dim"),
)
extend_message(
    "NetParameter",
    optional("CompileNetState", "compile_net_state", execution_only=True),
    optional("string", "engine", execution_only=True),
    optional("uint32", "bn_stats_batch_size", default=0, execution_only=True),
    optional("MultinodeParameter", "multinode", execution_only=True),
    optional("DataType", "data_type", execution_only=True),
    repeated("QuantizerParameter", "quantizer", execution_only=True),
    optional("bool", "reduced_memory_inference", default=False, execution_only=True),
    optional("Autotune", "autotune", execution_only=True),
)
extend_message(
    "NetState",
    optional("QuantizerMode", "quantizer_mode", default="CAFFE_QUANT_PASSIVE", execution_only=True),
)
extend_message(
    "PoolingParameter",
    repeated("uint32", "pad_3d"),
    repeated("uint32", "kernel_size_3d"),
    repeated("uint32", "stride_3d"),
    optional("bool", "avg_include_pad", default=True),
    optional("int32", "axis", default=1),
    repeated("uint64", "dilation"),
)
extend_message(
    "ReLUParameter",
    optional("bool", "fuse", default=False, execution_only=True),
)
extend_message(
    "ReshapeParameter",
    optional("int32", "pixelshuffler", default=1),
)
extend_message(
    "SolverParameter",
    repeated("float", "stagelr"),
    repeated("int32", "stageiter"),
    optional("bool", "disabled_update", default=False),
    optional("string", "engine", execution_only=True),
    optional("int32", "warmup_iter", default=0),
    optional("float", "warmup_start_lr", default=0.0),
    optional("bool", "local_lr_auto", default=False),
    optional("float", "local_gw_ratio", default=0.001),
    optional("int32", "test_offset", default=0),
    optional("DataType", "data_type", execution_only=True),
    optional("int64", "device", default=-1, execution_only=True),
)
extend_message(
    "TransformationParameter",
    optional("RandomResizeParameter", "random_resize_param"),
    optional("RandomAspectRatioParameter", "random_aspect_ratio_param"),
    optional("bool", "flow", default=False),
    optional("bool", "bgr2rgb", default=False),
    optional("uint32", "pad", default=0),
)
extend_message(
    "V1LayerParameter",
    optional("AffinityParameter", "affinity_param"),
)

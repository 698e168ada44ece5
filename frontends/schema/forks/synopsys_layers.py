"""The messages of Synopsys' own layers, most of them those of TensorFlow and ONNX."""

from __future__ import annotations

from ..registry import declare_message
from ..types import enum, optional, repeated, required
from .synopsys_forms import QUANTIZED, SATURATED

declare_message(
    "AttentionParameter",
    optional("uint32", "batch_size", default=2),
    optional("uint32", "query_depth", default=1000),
    optional("uint32", "alignments_size", default=500),
    optional("bool", "scale", default=False),
    optional("bool", "normalize", default=False),
    optional("string", "attention_option", default="normed_bahdanau"),
)
declare_message(
    "BatchToSpaceNDParameter",
    repeated("uint32", "block_shape"),
    repeated("uint32", "crops"),
)
declare_message(
    "BroadcastToParameter",
    repeated("uint32", "shape"),
)
declare_message(
    "Corr1dParameter",
    optional("int32", "num_of_shifts", default=32),
    optional("int32", "stride", default=1),
)
declare_message(
    "CountNonzeroParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "CropAndResizeParameter",
    optional("uint32", "crop_h", default=0),
    optional("uint32", "crop_w", default=0),
    optional("float", "extrapolation_value", default=0.0),
    optional("string", "data_format", default="NHWC"),
)
declare_message(
    "DepthToSpaceParameter",
    optional("int32", "block_size"),
    optional("string", "data_format", default="NHWC"),
)
declare_message(
    "EmbeddingLookupParameter",
    repeated("uint32", "ids"),
    repeated("uint32", "ids_shape"),
    optional("string", "partition_strategy", default="mod"),
    optional("float", "max_norm"),
)
declare_message(
    "EmbeddingLookupSparseParameter",
    repeated("int32", "ids_indices"),
    repeated("uint32", "ids_values"),
    repeated("uint32", "ids_shape"),
    repeated("float", "weight_values"),
    optional("string", "partition_strategy", default="mod"),
    optional("string", "combiner", default="sqrtn"),
    optional("float", "max_norm"),
)
declare_message(
    "ExpandDimsNDParameter",
    repeated("int32", "axis"),
)
declare_message(
    "GANLossParameter",
    optional("uint32", "dis_iter", default=1),
    optional("uint32", "gen_iter", default=1),
    optional("float", "dis_lossweight", default=1.0),
    optional("float", "gen_lossweight", default=1.0),
    optional("bool", "simple_genloss", default=False),
    optional("float", "k_lr", default=0.0),
    optional("float", "equilibrium", default=0.0),
    optional("bool", "nothing", default=False),
)
declare_message(
    "GatherNDParameter",
    repeated("uint32", "indices"),
    repeated("uint32", "indices_shape"),
)
declare_message(
    "GatherParameter",
    repeated("uint32", "indices"),
    repeated("uint32", "shape"),
    optional("int32", "axis", default=0),
)
declare_message(
    "GatherV2Parameter",
    optional("int32", "axis", default=0),
    optional("bool", "batch_flag", default=False),
)
declare_message(
    "GemmParameter",
    optional("float", "alpha", default=1.0),
    optional("float", "beta", default=1.0),
    optional("uint32", "transA", default=0),
    optional("uint32", "transB", default=0),
)
declare_message(
    "HardSigmoidParameter",
    optional("float", "alpha", default=0.2),
    optional("float", "beta", default=0.5),
)
declare_message(
    "LayerNormParameter",
    optional("float", "eps", default=1e-05),
    optional("bool", "elementwise_affine", default=True),
)
declare_message(
    "LogSoftmaxParameter",
    optional("int32", "axis", default=1),
)
declare_message(
    "LpNormalizationParameter",
    repeated("int32", "axis"),
    optional("uint32", "p", default=2),
)
declare_message(
    "MaskRCNNDetectionParameter",
    repeated("float", "bbox_std_dev"),
    optional("uint32", "batch_size", default=1),
    optional("uint32", "detection_max_instances", default=100),
    optional("float", "detection_min_confidence", default=0.7),
    optional("float", "detection_nms_threshold", default=0.3),
)
declare_message(
    "MaskRCNNProposalParameter",
    repeated("float", "rpn_bbox_std_dev"),
    optional("uint32", "batch_size", default=1),
    optional("uint32", "images_per_gpu", default=2),
    optional("uint32", "pre_nms_limit", default=6000),
    optional("float", "rpn_nms_threshold", default=0.7),
    optional("uint32", "post_nms_rois_inference", default=1000),
)
declare_message(
    "MatMulParameter",
    optional("bool", "transpose_a", default=False),
    optional("bool", "transpose_b", default=False),
    repeated("uint32", "blob_shape"),
)
declare_message(
    "MirrorPadParameter",
    repeated("uint32", "paddings"),
    optional("float", "constant_values", default=0.0),
    optional("string", "mode", default="CONSTANT"),
)
declare_message(
    "MulParameter",
    repeated("uint32", "mul_shape"),
)
declare_message(
    "NMSGatherParameter",
    optional("uint32", "top_k", default=1),
    optional("int32", "axis", default=0),
    optional("float", "iou_threshold", default=0.7),
)
declare_message(
    "NMSParameter",
    optional("uint32", "top_k", default=1),
    optional("int32", "axis", default=0),
    optional("float", "iou_threshold", default=0.7),
)
declare_message(
    "NonMaxSuppressionParameter",
    optional("int32", "max_output_boxes_per_class", default=0),
    optional("float", "iou_threshold", default=0.0),
    optional("float", "score_threshold", default=0.0),
    optional("int32", "center_point_box", default=0),
)
declare_message(
    "NotEqualParameter",
    optional("float", "comparand"),
)
declare_message(
    "OneHotParameter",
    required("uint32", "depth"),
    optional("float", "on_value", default=1.0),
    optional("float", "off_value", default=0.0),
    optional("int32", "axis", default=-1),
)
declare_message(
    "PadParameter",
    repeated("uint32", "paddings"),
    optional("float", "constant_values", default=0.0),
)
declare_message(
    "PieceParameter",
    repeated("int32", "begin"),
    repeated("int32", "size"),
)
declare_message(
    "PointNetParameter",
    optional("uint32", "n_sample_point"),
    optional("float", "radius"),
)
declare_message(
    "PyramidROIAlignParameter",
    required("uint32", "crop_height"),
    required("uint32", "crop_width"),
    optional("float", "extrapolation_value", default=0.0),
    optional("string", "data_format", default="NHWC"),
)
declare_message(
    "RNNv2Parameter",
    optional("uint32", "num_layers", default=1),
    required("uint32", "hidden_size"),
    optional("string", "op", default="LSTM"),
    optional("string", "direction", default="forward"),
    repeated("string", "activations"),
    repeated("float", "activation_alpha"),
    repeated("float", "activation_beta"),
    optional("string", "merge_mode", default="concat"),
    optional("uint32", "linear_before_reset", default=0),
    optional("bool", "default_initial", default=False),
    optional("bool", "continue_recur", default=False),
)
declare_message(
    "RangeParameter",
    optional("float", "start", default=0.0),
    required("float", "limit"),
    optional("float", "delta", default=1.0),
)
declare_message(
    "ReduceAllParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceAnyParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceL1Parameter",
    repeated("int32", "axes"),
    optional("int32", "keepdims", default=1),
)
declare_message(
    "ReduceL2Parameter",
    repeated("int32", "axes"),
    optional("int32", "keepdims", default=1),
)
declare_message(
    "ReduceLogSumExpParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceMaxParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceMeanParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceMinParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceProdParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ReduceSumParameter",
    repeated("int32", "axis"),
    optional("bool", "keepdims", default=False),
)
declare_message(
    "ResizeBilinearParameter",
    optional("bool", "align_corners", default=False),
    optional("int32", "output_height"),
    optional("int32", "output_width"),
    optional("string", "data_format", default="NHWC"),
    optional("float", "scale_height", default=1.0),
    optional("float", "scale_width", default=1.0),
    optional("bool", "half_pixel_centers", default=False),
    optional("bool", "pytorch_half_pixel", default=False),
    optional("int32", "output_depth"),
    optional("float", "scale_depth", default=1.0),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
)
declare_message(
    "ResizeNearestNeighborParameter",
    optional("bool", "align_corners", default=False),
    optional("int32", "output_height"),
    optional("int32", "output_width"),
    optional("string", "data_format", default="NHWC"),
    optional("float", "scale_height", default=1.0),
    optional("float", "scale_width", default=1.0),
    optional("bool", "half_pixel_centers", default=False),
    optional("bool", "half_pixel_onnx", default=False),
)
declare_message(
    "ReverseParameter",
    repeated("int32", "axis"),
)
declare_message(
    "ReverseSequenceParameter",
    required("uint32", "seq_axis"),
    optional("uint32", "batch_axis", default=0),
)
declare_message(
    "ScaledTanHParameter",
    required("float", "alpha"),
    required("float", "beta"),
)
declare_message(
    "ScatterNDParameter",
    optional("bool", "is_data_param", default=False),
    optional("bool", "is_indices_param", default=False),
    optional("bool", "is_updates_param", default=False),
    repeated("uint32", "data_shape"),
    repeated("uint32", "indices_shape"),
    repeated("uint32", "updates_shape"),
)
declare_message(
    "SeLUDropoutParameter",
    optional("float", "dropout_ratio", default=0.1),
    optional("float", "alpha", default=-1.75809934),
)
declare_message(
    "SpaceToBatchNDParameter",
    repeated("uint32", "block_shape"),
    repeated("uint32", "paddings"),
)
declare_message(
    "SpaceToDepthParameter",
    optional("int32", "block_size"),
    optional("string", "data_format", default="NHWC"),
)
declare_message(
    "SparseToDenseParameter",
    repeated("uint32", "sparse_indices"),
    repeated("uint32", "sparse_indices_shape"),
    repeated("uint32", "output_shape"),
    repeated("float", "sparse_values"),
    optional("float", "default_value", default=0.0),
    optional("bool", "validate_indices", default=True),
)
declare_message(
    "SpatialBatchingPoolingParameter",
    enum("PoolMethod", MAX=0, AVE=1, STOCHASTIC=2),
    optional("PoolMethod", "pool", default="MAX"),
    optional("uint32", "kernel_size"),
    optional("uint32", "stride", default=1),
    optional("uint32", "pad", default=0),
    optional("uint32", "kernel_h"),
    optional("uint32", "kernel_w"),
    optional("uint32", "stride_h"),
    optional("uint32", "stride_w"),
    optional("uint32", "pad_h", default=0),
    optional("uint32", "pad_w", default=0),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("bool", "global_pooling", default=False),
    optional("bool", "ceil_mode", default=True),
    optional("uint32", "pad_l", default=0),
    optional("uint32", "pad_r", default=0),
    optional("uint32", "pad_t", default=0),
    optional("uint32", "pad_b", default=0),
    optional("uint32", "spatial_batching_h", default=0),
    optional("uint32", "spatial_batching_w", default=0),
    optional("uint32", "batch_h", default=0),
    optional("uint32", "batch_w", default=0),
    optional("uint32", "skip_h", default=0),
    optional("uint32", "skip_w", default=0),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
)
declare_message(
    "SqueezeConvolutionParameter",
    optional("uint32", "num_output"),
    optional("bool", "bias_term", default=True),
    repeated("uint32", "pad"),
    repeated("uint32", "kernel_size"),
    repeated("uint32", "stride"),
    repeated("uint32", "dilation"),
    optional("uint32", "pad_h", default=0),
    optional("uint32", "pad_w", default=0),
    optional("uint32", "pad_type", default=0),
    optional("uint32", "pad_l", default=0),
    optional("uint32", "pad_r", default=0),
    optional("uint32", "pad_t", default=0),
    optional("uint32", "pad_b", default=0),
    optional("uint32", "kernel_h"),
    optional("uint32", "kernel_w"),
    optional("uint32", "stride_h"),
    optional("uint32", "stride_w"),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("double", "weight_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    optional("int32", "weight_zero_point", default=0),
    optional("bool", "per_channel_scale_weight", default=False),
    optional("bool", "per_channel_scale_output", default=False),
    optional("bool", "submanifold_sparse", default=False),
    *SATURATED,
    *QUANTIZED,
    optional("uint32", "group", default=1),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
    optional("int32", "axis", default=1),
    optional("bool", "force_nd_im2col", default=False),
    optional("float", "gamma", default=0.001),
    optional("float", "power", default=1.0),
    optional("float", "iter_stop", default=10000.0),
    optional("float", "c_rate", default=3.0),
    optional("FillerParameter", "weight_mask_filler"),
    optional("FillerParameter", "bias_mask_filler"),
    optional("bool", "dynamicsplicing", default=False),
    optional("float", "splicing_rate", default=0.0001),
)
declare_message(
    "SqueezeInnerProductParameter",
    optional("uint32", "num_output"),
    optional("bool", "bias_term", default=True),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("int32", "axis", default=1),
    optional("bool", "transpose", default=False),
    optional("float", "gamma", default=0.001),
    optional("float", "power", default=1.0),
    optional("float", "iter_stop", default=8000.0),
    optional("float", "c_rate", default=3.0),
    optional("FillerParameter", "weight_mask_filler"),
    optional("FillerParameter", "bias_mask_filler"),
    optional("bool", "dynamicsplicing", default=False),
    optional("float", "splicing_rate", default=0.001),
)
declare_message(
    "SqueezeParameter",
    repeated("int32", "axis"),
)
declare_message(
    "StackParameter",
    optional("int32", "axis", default=0),
)
declare_message(
    "StridedSliceParameter",
    repeated("int32", "begin"),
    repeated("int32", "end"),
    repeated("int32", "strides"),
    repeated("int32", "axes"),
    optional("int32", "begin_mask", default=0),
    optional("int32", "end_mask", default=0),
    optional("int32", "ellipsis_mask", default=0),
    optional("int32", "new_axis_mask", default=0),
    optional("int32", "shrink_axis_mask", default=0),
)
declare_message(
    "Tensor2BoxParameter",
    required("int32", "num_classes"),
    required("int32", "img_dim_h"),
    required("int32", "img_dim_w"),
    repeated("int32", "anchors_x"),
    repeated("int32", "anchors_y"),
)
declare_message(
    "ThresholdedReLUParameter",
    optional("float", "alpha", default=1.0),
)
declare_message(
    "TileNDParameter",
    repeated("uint32", "multiples"),
)
declare_message(
    "TopkGatherParameter",
    optional("uint32", "top_k", default=1),
    optional("int32", "axis", default=0),
)
declare_message(
    "UnstackParameter",
    optional("uint32", "num", default=0),
    optional("int32", "axis", default=0),
)
declare_message(
    "UpsampleDarknetParameter",
    optional("int32", "stride", default=1),
)
declare_message(
    "Where4GatherndCropParameter",
    optional("uint32", "num_output"),
    optional("int32", "axis", default=1),
    optional("uint32", "crop_h", default=0),
    optional("uint32", "crop_w", default=0),
    optional("float", "extrapolation_value", default=0.0),
)
declare_message(
    "Where4GatherndParameter",
    optional("uint32", "num_output"),
    optional("int32", "axis", default=1),
)
declare_message(
    "Where4Parameter",
    optional("uint32", "num_output"),
    optional("int32", "axis", default=1),
)
declare_message(
    "XLUParameter",
    optional("float", "negative_slope", default=0.0),
    optional("bool", "relu6", default=False),
    optional("float", "maximum", default=0.0),
    optional("float", "minimum", default=0.0),
    *SATURATED,
    optional("ForkEngine", "engine", default="DEFAULT", execution_only=True),
)
declare_message(
    "YoloV2LossParameter",
    repeated("float", "anchors"),
    optional("int32", "side"),
    optional("int32", "num_classes"),
    optional("int32", "num_object"),
    optional("float", "box_scale", default=0.5),
    optional("float", "class_scale", default=0.5),
    optional("float", "noobject_scale", default=0.5),
    optional("float", "object_scale", default=0.5),
    optional("bool", "rescore", default=True),
    optional("bool", "constraint", default=True),
    optional("float", "thresh", default=0.7),
)
declare_message(
    "YoloV3LossParameter",
    repeated("int32", "anchors"),
    repeated("int32", "mask"),
    optional("int32", "side"),
    optional("int32", "num_classes"),
    optional("int32", "num_object"),
    optional("int32", "total_object"),
    optional("float", "ignore_thresh", default=0.7),
    optional("float", "truth_thresh", default=1.0),
    optional("int32", "net_w"),
    optional("int32", "net_h"),
)

"""Fields that Synopsys' Caffe adds (foss-for-synopsys-dwc-arc-processors/synopsys-caffe)."""

from __future__ import annotations

from ..registry import extend_enum, extend_message
from ..types import optional, repeated
from .synopsys_forms import QUANTIZED, SATURATED

extend_message(
    "ArgMaxParameter",
    optional("bool", "min_first", default=False),
)
extend_message(
    "BNParameter",
    optional("bool", "icnet", default=False, execution_only=True),
    declared_later=True,
)
extend_message(
    "BatchNormParameter",
    optional("bool", "add_eps_before_sqrt", default=True),
    optional("bool", "icnet", default=False, execution_only=True),
)
extend_message(
    "BiasParameter",
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("double", "bias_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    optional("int32", "bias_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
)
extend_message(
    "ConcatParameter",
    repeated("double", "input_scale"),
    optional("double", "output_scale", default=1.0),
    repeated("int32", "input_zero_point"),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
)
extend_message(
    "ConvolutionParameter",
    optional("uint32", "pad_type", default=0),
    optional("int32", "pad_l", default=0),
    optional("int32", "pad_r", default=0),
    optional("int32", "pad_t", default=0),
    optional("int32", "pad_b", default=0),
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
    optional("bool", "weight_fixed", default=False),
    optional("bool", "dis_mode", default=False),
    optional("bool", "gen_mode", default=False),
)
extend_message(
    "DataParameter",
    optional("bool", "random", default=False),
)
extend_message(
    "DetectionOutputParameter",
    optional("bool", "ratio_permute", default=False),
    optional("bool", "no_permute", default=False),
    optional("int32", "nbottom", default=6),
    optional("bool", "arm_conf_no_concat", default=False),
    optional("bool", "arm_loc_no_concat", default=False),
    optional("int32", "ratio0", default=3),
    optional("int32", "ratio1", default=6),
    optional("int32", "ratio2", default=6),
    optional("int32", "ratio3", default=6),
    optional("int32", "ratio4", default=6),
    optional("int32", "ratio5", default=6),
    optional("bool", "tflite_detection", default=False),
    optional("bool", "tflite_use_regular_nms", default=False),
    optional("int32", "max_classes_per_detection", default=1),
    repeated("float", "scale_xywh"),
)
extend_message(
    "DistortionParameter",
    optional("float", "exposure_lower", default=0.0),
    optional("float", "exposure_upper", default=0.0),
)
extend_message(
    "EltwiseParameter",
    repeated("double", "input_scale"),
    optional("double", "output_scale", default=1.0),
    repeated("int32", "input_zero_point"),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
    optional("int32", "axis", default=0),
)
extend_message(
    "InnerProductParameter",
    optional("bool", "weight_fixed", default=False),
    optional("bool", "dis_mode", default=False),
    optional("bool", "gen_mode", default=False),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("double", "weight_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    optional("int32", "weight_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
)
extend_message(
    "InputParameter",
    optional("float", "output_scale", default=1.0),
    optional("int32", "output_zero_point", default=0),
)
extend_message(
    "InterpParameter",
    optional("int32", "full_zoom_factor", default=1),
)
extend_message(
    "LRNParameter",
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
)
extend_message(
    "LayerParameter",
    optional("GANLossParameter", "gan_loss_param"),
    optional("XLUParameter", "xlu_param"),
    optional("LogSoftmaxParameter", "log_softmax_param"),
    optional("SqueezeConvolutionParameter", "squeeze_convolution_param"),
    optional("SqueezeInnerProductParameter", "squeeze_inner_product_param"),
    optional("YoloV2LossParameter", "yolo_v2_loss_param"),
    optional("YoloV3LossParameter", "yolo_v3_loss_param"),
    optional("UpsampleDarknetParameter", "upsample_darknet_param"),
    optional("DepthToSpaceParameter", "depth_to_space_param"),
    optional("ResizeNearestNeighborParameter", "resize_nearest_neighbor_param"),
    optional("GatherParameter", "gather_param"),
    optional("TopkGatherParameter", "topk_gather_param"),
    optional("NMSParameter", "nms_param"),
    optional("NMSGatherParameter", "nms_gather_param"),
    optional("GatherNDParameter", "gather_nd_param"),
    optional("Where4Parameter", "where4_param"),
    optional("Where4GatherndParameter", "where4_gathernd_param"),
    optional("CropAndResizeParameter", "crop_and_resize_param"),
    optional("Where4GatherndCropParameter", "where4_gathernd_crop_param"),
    optional("PyramidROIAlignParameter", "pyramid_roi_align_param"),
    optional("SpaceToDepthParameter", "space_to_depth_param"),
    optional("PadParameter", "pad_param"),
    optional("StackParameter", "stack_param"),
    optional("ResizeBilinearParameter", "resize_bilinear_param"),
    optional("ReduceSumParameter", "reduce_sum_param"),
    optional("ReduceMaxParameter", "reduce_max_param"),
    optional("ReduceMinParameter", "reduce_min_param"),
    optional("ReduceProdParameter", "reduce_prod_param"),
    optional("ReduceMeanParameter", "reduce_mean_param"),
    optional("SeLUParameter", "selu_param"),
    optional("SeLUDropoutParameter", "selu_dropout_param"),
    optional("UnstackParameter", "unstack_param"),
    optional("BatchToSpaceNDParameter", "batch_to_space_nd_param"),
    optional("SpaceToBatchNDParameter", "space_to_batch_nd_param"),
    optional("MirrorPadParameter", "mirror_pad_param"),
    optional("TileNDParameter", "tile_nd_param"),
    optional("ExpandDimsNDParameter", "expand_dims_nd_param"),
    optional("SqueezeParameter", "squeeze_param"),
    optional("BroadcastToParameter", "broadcast_to_param"),
    optional("StridedSliceParameter", "strided_slice_param"),
    optional("PieceParameter", "piece_param"),
    optional("RangeParameter", "range_param"),
    optional("SparseToDenseParameter", "sparse_to_dense_param"),
    optional("EmbeddingLookupParameter", "embedding_lookup_param"),
    optional("EmbeddingLookupSparseParameter", "embedding_lookup_sparse_param"),
    optional("GemmParameter", "gemm_param"),
    optional("ReduceL1Parameter", "reduce_l1_param"),
    optional("ReduceL2Parameter", "reduce_l2_param"),
    optional("ReduceLogSumExpParameter", "reduce_logsumexp_param"),
    optional("ReduceAllParameter", "reduce_all_param"),
    optional("ReduceAnyParameter", "reduce_any_param"),
    optional("ReverseSequenceParameter", "reverse_sequence_param"),
    optional("HardSigmoidParameter", "hard_sigmoid_param"),
    optional("ThresholdedReLUParameter", "thresholded_relu_param"),
    optional("OneHotParameter", "one_hot_param"),
    optional("ReverseParameter", "reverse_param"),
    optional("LpNormalizationParameter", "lp_normalization_param"),
    optional("MatMulParameter", "matmul_param"),
    optional("GatherV2Parameter", "gather_v2_param"),
    optional("ScaledTanHParameter", "scaled_tanh_param"),
    optional("MaskRCNNDetectionParameter", "maskrcnn_detection_param"),
    optional("MaskRCNNProposalParameter", "maskrcnn_proposal_param"),
    optional("AttentionParameter", "attention_param"),
    optional("RNNv2Parameter", "rnn_v2_param"),
    optional("CountNonzeroParameter", "count_nonzero_param"),
    optional("NotEqualParameter", "not_equal_param"),
    optional("PointNetParameter", "point_net_param"),
    optional("MulParameter", "mul_param"),
    optional("SpatialBatchingPoolingParameter", "spatial_batching_pooling_param"),
    optional("NonMaxSuppressionParameter", "non_max_suppression_param"),
    optional("ScatterNDParameter", "scatter_nd_param"),
    optional("LayerNormParameter", "layer_norm_param"),
    optional("Tensor2BoxParameter", "tensor2box_param"),
    optional("Corr1dParameter", "corr1d_param"),
)
extend_message(
    "MVNParameter",
    optional("bool", "add_eps_before_sqrt", default=False),
)
extend_message(
    "MultiBoxLossParameter",
    optional("float", "objectness_score", default=0.01),
)
extend_message(
    "NormalizeParameter",
    optional("bool", "add_eps_before_sqrt", default=True),
    declared_later=True,
)
extend_message(
    "NormalizedBBox",
    optional("float", "x_center"),
    optional("float", "y_center"),
    optional("float", "width"),
    optional("float", "height"),
)
extend_message(
    "Pooling3DParameter",
    optional("uint32", "pad_h0", default=0),
    optional("uint32", "pad_h1", default=0),
    optional("uint32", "pad_w0", default=0),
    optional("uint32", "pad_w1", default=0),
    optional("uint32", "pad_d0", default=0),
    optional("uint32", "pad_d1", default=0),
    optional("uint32", "kernel_h"),
    optional("uint32", "kernel_w"),
    optional("uint32", "kernel_d"),
    optional("uint32", "stride_h"),
    optional("uint32", "stride_w"),
    optional("uint32", "stride_d"),
    optional("bool", "global_pooling", default=False),
    optional("bool", "ceil_mode", default=False),
)
extend_message(
    "PoolingParameter",
    optional("uint32", "pad_type", default=0),
    optional("uint32", "pad_l", default=0),
    optional("uint32", "pad_r", default=0),
    optional("uint32", "pad_t", default=0),
    optional("uint32", "pad_b", default=0),
    optional("uint32", "output_shift_instead_division", default=0),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
    *QUANTIZED,
)
extend_message(
    "PowerParameter",
    *SATURATED,
    *QUANTIZED,
)
extend_message(
    "PriorBoxParameter",
    optional("bool", "faceboxes", default=False),
    repeated("float", "box_width"),
    repeated("float", "box_height"),
    optional("bool", "tf", default=False),
    optional("bool", "yx_order", default=False),
    optional("bool", "keras", default=False),
)
extend_message(
    "ProposalParameter",
    optional("int32", "anchor_base_size", default=16),
    optional("int32", "anchor_scale", default=3),
    optional("int32", "anchor_ratio", default=3),
    optional("int32", "max_rois", default=300),
    optional("float", "rpn_min_size", default=16.0),
    optional("float", "rpn_nms_thresh", default=0.7),
    declared_later=True,
)
extend_message(
    "ReLUParameter",
    optional("bool", "relu6", default=False),
    optional("float", "maximum", default=0.0),
    optional("float", "minimum", default=0.0),
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
)
extend_message(
    "RecurrentParameter",
    optional("bool", "default_initial", default=False),
    optional("bool", "continue_recur", default=False),
    optional("bool", "tf_rnn", default=False),
    optional("uint32", "linear_before_reset", default=0),
    optional("string", "direction", default="forward"),
    repeated("float", "activation_alpha"),
    repeated("float", "activation_beta"),
    repeated("string", "activations"),
)
extend_message(
    "ResizeParameter",
    optional("float", "jitter", default=0.3),
)
extend_message(
    "ScaleParameter",
    optional("bool", "dis_mode", default=False),
    optional("bool", "gen_mode", default=False),
)
extend_message(
    "SigmoidParameter",
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
)
extend_message(
    "SmoothL1LossParameter",
    optional("bool", "abssum", default=True),
    declared_later=True,
)
extend_message(
    "SoftmaxParameter",
    optional("double", "input_scale", default=1.0),
    optional("double", "output_scale", default=1.0),
    optional("int32", "input_zero_point", default=0),
    optional("int32", "output_zero_point", default=0),
    *SATURATED,
)
extend_message(
    "SolverParameter",
    optional("bool", "gan_solver", default=False),
)
extend_message(
    "TransformationParameter",
    optional("bool", "caffe_yolo", default=False),
)
extend_message(
    "V1LayerParameter",
    optional("YoloV2LossParameter", "yolo_v2_loss_param"),
    optional("YoloV3LossParameter", "yolo_v3_loss_param"),
)
extend_enum("EltwiseParameter.EltwiseOp", "DIV", "MIN")
extend_enum("PoolingParameter.PoolMethod", "AVE_EXC_PAD", "AVE_TF")
extend_enum("Pooling3DParameter.PoolMethod", "AVE_EXC_PAD")
extend_enum("SPPParameter.PoolMethod", "AVE_EXC_PAD", "AVE_TF")
extend_enum("V0LayerParameter.PoolMethod", "AVE_EXC_PAD", "AVE_TF")

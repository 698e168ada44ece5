"""The parameter message of each of Caffe's layers (BVLC Caffe 1.0, caffe.proto)."""

from __future__ import annotations

from .registry import native_message
from .types import enum, optional, repeated, required

native_message(
    "AccuracyParameter",
    optional("uint32", "top_k", 1, default=1),
    optional("int32", "axis", 2, default=1),
    optional("int32", "ignore_label", 3),
)
native_message(
    "ArgMaxParameter",
    optional("bool", "out_max_val", 1, default=False),
    optional("uint32", "top_k", 2, default=1),
    optional("int32", "axis", 3),
)
native_message(
    "BatchNormParameter",
    optional("bool", "use_global_stats", 1),
    optional("float", "moving_average_fraction", 2, default=0.999),
    optional("float", "eps", 3, default=1e-05),
)
native_message(
    "BiasParameter",
    optional("int32", "axis", 1, default=1),
    optional("int32", "num_axes", 2, default=1),
    optional("FillerParameter", "filler", 3),
)
native_message(
    "ClipParameter",
    required("float", "min", 1),
    required("float", "max", 2),
)
native_message(
    "ConcatParameter",
    optional("uint32", "concat_dim", 1, default=1),
    optional("int32", "axis", 2, default=1),
)
native_message(
    "ContrastiveLossParameter",
    optional("float", "margin", 1, default=1.0),
    optional("bool", "legacy_version", 2, default=False),
)
native_message(
    "ConvolutionParameter",
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("uint32", "num_output", 1),
    optional("bool", "bias_term", 2, default=True),
    repeated("uint32", "pad", 3),
    repeated("uint32", "kernel_size", 4),
    optional("uint32", "group", 5, default=1),
    repeated("uint32", "stride", 6),
    optional("FillerParameter", "weight_filler", 7),
    optional("FillerParameter", "bias_filler", 8),
    optional("uint32", "pad_h", 9, default=0),
    optional("uint32", "pad_w", 10, default=0),
    optional("uint32", "kernel_h", 11),
    optional("uint32", "kernel_w", 12),
    optional("uint32", "stride_h", 13),
    optional("uint32", "stride_w", 14),
    optional("Engine", "engine", 15, default="DEFAULT"),
    optional("int32", "axis", 16, default=1),
    optional("bool", "force_nd_im2col", 17, default=False),
    repeated("uint32", "dilation", 18),
)
native_message(
    "CropParameter",
    optional("int32", "axis", 1, default=2),
    repeated("uint32", "offset", 2),
)
native_message(
    "DataParameter",
    enum("DB", LEVELDB=0, LMDB=1),
    optional("string", "source", 1),
    optional("float", "scale", 2, default=1.0),
    optional("string", "mean_file", 3),
    optional("uint32", "batch_size", 4),
    optional("uint32", "crop_size", 5, default=0),
    optional("bool", "mirror", 6, default=False),
    optional("uint32", "rand_skip", 7, default=0),
    optional("DB", "backend", 8, default="LEVELDB"),
    optional("bool", "force_encoded_color", 9, default=False),
    optional("uint32", "prefetch", 10, default=4),
)
native_message(
    "DropoutParameter",
    optional("float", "dropout_ratio", 1, default=0.5),
)
native_message(
    "DummyDataParameter",
    repeated("FillerParameter", "data_filler", 1),
    repeated("uint32", "num", 2),
    repeated("uint32", "channels", 3),
    repeated("uint32", "height", 4),
    repeated("uint32", "width", 5),
    repeated("BlobShape", "shape", 6),
)
native_message(
    "EltwiseParameter",
    enum("EltwiseOp", PROD=0, SUM=1, MAX=2),
    optional("EltwiseOp", "operation", 1, default="SUM"),
    repeated("float", "coeff", 2),
    optional("bool", "stable_prod_grad", 3, default=True),
)
native_message(
    "ELUParameter",
    optional("float", "alpha", 1, default=1.0),
)
native_message(
    "EmbedParameter",
    optional("uint32", "num_output", 1),
    optional("uint32", "input_dim", 2),
    optional("bool", "bias_term", 3, default=True),
    optional("FillerParameter", "weight_filler", 4),
    optional("FillerParameter", "bias_filler", 5),
)
native_message(
    "ExpParameter",
    optional("float", "base", 1, default=-1.0),
    optional("float", "scale", 2, default=1.0),
    optional("float", "shift", 3, default=0.0),
)
native_message(
    "FlattenParameter",
    optional("int32", "axis", 1, default=1),
    optional("int32", "end_axis", 2, default=-1),
)
native_message(
    "HDF5DataParameter",
    optional("string", "source", 1),
    optional("uint32", "batch_size", 2),
    optional("bool", "shuffle", 3, default=False),
)
native_message(
    "HDF5OutputParameter",
    optional("string", "file_name", 1),
)
native_message(
    "HingeLossParameter",
    enum("Norm", L1=1, L2=2),
    optional("Norm", "norm", 1, default="L1"),
)
native_message(
    "ImageDataParameter",
    optional("string", "source", 1),
    optional("float", "scale", 2, default=1.0),
    optional("string", "mean_file", 3),
    optional("uint32", "batch_size", 4, default=1),
    optional("uint32", "crop_size", 5, default=0),
    optional("bool", "mirror", 6, default=False),
    optional("uint32", "rand_skip", 7, default=0),
    optional("bool", "shuffle", 8, default=False),
    optional("uint32", "new_height", 9, default=0),
    optional("uint32", "new_width", 10, default=0),
    optional("bool", "is_color", 11, default=True),
    optional("string", "root_folder", 12, default=""),
)
native_message(
    "InfogainLossParameter",
    optional("string", "source", 1),
    optional("int32", "axis", 2, default=1),
)
native_message(
    "InnerProductParameter",
    optional("uint32", "num_output", 1),
    optional("bool", "bias_term", 2, default=True),
    optional("FillerParameter", "weight_filler", 3),
    optional("FillerParameter", "bias_filler", 4),
    optional("int32", "axis", 5, default=1),
    optional("bool", "transpose", 6, default=False),
)
native_message(
    "InputParameter",
    repeated("BlobShape", "shape", 1),
)
native_message(
    "LogParameter",
    optional("float", "base", 1, default=-1.0),
    optional("float", "scale", 2, default=1.0),
    optional("float", "shift", 3, default=0.0),
)
native_message(
    "LossParameter",
    enum("NormalizationMode", FULL=0, VALID=1, BATCH_SIZE=2, NONE=3),
    optional("int32", "ignore_label", 1),
    optional("bool", "normalize", 2),
    optional("NormalizationMode", "normalization", 3, default="VALID"),
)
native_message(
    "LRNParameter",
    enum("NormRegion", ACROSS_CHANNELS=0, WITHIN_CHANNEL=1),
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("uint32", "local_size", 1, default=5),
    optional("float", "alpha", 2, default=1.0),
    optional("float", "beta", 3, default=0.75),
    optional("NormRegion", "norm_region", 4, default="ACROSS_CHANNELS"),
    optional("float", "k", 5, default=1.0),
    optional("Engine", "engine", 6, default="DEFAULT"),
)
native_message(
    "MemoryDataParameter",
    optional("uint32", "batch_size", 1),
    optional("uint32", "channels", 2),
    optional("uint32", "height", 3),
    optional("uint32", "width", 4),
)
native_message(
    "MVNParameter",
    optional("bool", "normalize_variance", 1, default=True),
    optional("bool", "across_channels", 2, default=False),
    optional("float", "eps", 3, default=1e-09),
)
native_message(
    "ParameterParameter",
    optional("BlobShape", "shape", 1),
)
native_message(
    "PoolingParameter",
    enum("PoolMethod", MAX=0, AVE=1, STOCHASTIC=2),
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    enum("RoundMode", CEIL=0, FLOOR=1),
    optional("PoolMethod", "pool", 1, default="MAX"),
    optional("uint32", "kernel_size", 2),
    optional("uint32", "stride", 3, default=1),
    optional("uint32", "pad", 4, default=0),
    optional("uint32", "kernel_h", 5),
    optional("uint32", "kernel_w", 6),
    optional("uint32", "stride_h", 7),
    optional("uint32", "stride_w", 8),
    optional("uint32", "pad_h", 9, default=0),
    optional("uint32", "pad_w", 10, default=0),
    optional("Engine", "engine", 11, default="DEFAULT"),
    optional("bool", "global_pooling", 12, default=False),
    optional("RoundMode", "round_mode", 13, default="CEIL"),
)
native_message(
    "PowerParameter",
    optional("float", "power", 1, default=1.0),
    optional("float", "scale", 2, default=1.0),
    optional("float", "shift", 3, default=0.0),
)
native_message(
    "PReLUParameter",
    optional("FillerParameter", "filler", 1),
    optional("bool", "channel_shared", 2, default=False),
)
native_message(
    "PythonParameter",
    optional("string", "module", 1),
    optional("string", "layer", 2),
    optional("string", "param_str", 3, default=""),
    optional("bool", "share_in_parallel", 4, default=False),
)
native_message(
    "RecurrentParameter",
    optional("uint32", "num_output", 1, default=0),
    optional("FillerParameter", "weight_filler", 2),
    optional("FillerParameter", "bias_filler", 3),
    optional("bool", "debug_info", 4, default=False),
    optional("bool", "expose_hidden", 5, default=False),
)
native_message(
    "ReductionParameter",
    enum("ReductionOp", SUM=1, ASUM=2, SUMSQ=3, MEAN=4),
    optional("ReductionOp", "operation", 1, default="SUM"),
    optional("int32", "axis", 2, default=0),
    optional("float", "coeff", 3, default=1.0),
)
native_message(
    "ReLUParameter",
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("float", "negative_slope", 1, default=0.0),
    optional("Engine", "engine", 2, default="DEFAULT"),
)
native_message(
    "ReshapeParameter",
    optional("BlobShape", "shape", 1),
    optional("int32", "axis", 2, default=0),
    optional("int32", "num_axes", 3, default=-1),
)
native_message(
    "ScaleParameter",
    optional("int32", "axis", 1, default=1),
    optional("int32", "num_axes", 2, default=1),
    optional("FillerParameter", "filler", 3),
    optional("bool", "bias_term", 4, default=False),
    optional("FillerParameter", "bias_filler", 5),
)
native_message(
    "SigmoidParameter",
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("Engine", "engine", 1, default="DEFAULT"),
)
native_message(
    "SliceParameter",
    optional("uint32", "slice_dim", 1, default=1),
    repeated("uint32", "slice_point", 2),
    optional("int32", "axis", 3, default=1),
)
native_message(
    "SoftmaxParameter",
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("Engine", "engine", 1, default="DEFAULT"),
    optional("int32", "axis", 2, default=1),
)
native_message(
    "SPPParameter",
    enum("PoolMethod", MAX=0, AVE=1, STOCHASTIC=2),
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("uint32", "pyramid_height", 1),
    optional("PoolMethod", "pool", 2, default="MAX"),
    optional("Engine", "engine", 6, default="DEFAULT"),
)
native_message(
    "SwishParameter",
    optional("float", "beta", 1, default=1.0),
)
native_message(
    "TanHParameter",
    enum("Engine", DEFAULT=0, CAFFE=1, CUDNN=2),
    optional("Engine", "engine", 1, default="DEFAULT"),
)
native_message(
    "ThresholdParameter",
    optional("float", "threshold", 1, default=0.0),
)
native_message(
    "TileParameter",
    optional("int32", "axis", 1, default=1),
    optional("int32", "tiles", 2),
)
native_message(
    "TransformationParameter",
    optional("float", "scale", 1, default=1.0),
    optional("bool", "mirror", 2, default=False),
    optional("uint32", "crop_size", 3, default=0),
    optional("string", "mean_file", 4),
    repeated("float", "mean_value", 5),
    optional("bool", "force_color", 6, default=False),
    optional("bool", "force_gray", 7, default=False),
)
native_message(
    "WindowDataParameter",
    optional("string", "source", 1),
    optional("float", "scale", 2, default=1.0),
    optional("string", "mean_file", 3),
    optional("uint32", "batch_size", 4),
    optional("uint32", "crop_size", 5, default=0),
    optional("bool", "mirror", 6, default=False),
    optional("float", "fg_threshold", 7, default=0.5),
    optional("float", "bg_threshold", 8, default=0.5),
    optional("float", "fg_fraction", 9, default=0.25),
    optional("uint32", "context_pad", 10, default=0),
    optional("string", "crop_mode", 11, default="warp"),
    optional("bool", "cache_images", 12, default=False),
    optional("string", "root_folder", 13, default=""),
)

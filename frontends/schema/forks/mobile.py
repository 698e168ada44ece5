"""What readers of mobile frameworks (ncnn, MNN) and converted nets add."""

from __future__ import annotations

from ..registry import declare_message, extend_message
from ..types import enum, optional, repeated

declare_message("Seq2outParameter")
declare_message(
    "Convolution3DParameter",
    optional("uint32", "num_output"),
    optional("bool", "bias_term", default=True),
    optional("uint32", "pad", default=0),
    optional("uint32", "kernel_size"),
    optional("uint32", "group", default=1),
    optional("uint32", "kernel_depth"),
    optional("uint32", "stride", default=1),
    optional("uint32", "temporal_stride", default=1),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("uint32", "filter_group", default=1),
    optional("uint32", "temporal_pad", default=0),
)
declare_message(
    "DetectionOutputParameter",
    optional("float", "objectness_score", default=0.01),
)
declare_message(
    "Im2seqParameter",
    enum("Direction", FORWARD=0, REVERSED=1, TOPDOWN=2, BOTTOMUP=3),
    optional("Direction", "direction", default="FORWARD"),
    optional("uint32", "size", default=1),
    optional("uint32", "stride", default=1),
    optional("bool", "line2time_loss", default=False),
)
declare_message(
    "ImgSizeParameter",
    optional("float", "x_scaling", default=1.0),
    optional("float", "y_scaling", default=1.0),
    optional("string", "pretrained_file"),
    optional("string", "pretrained_layer_name"),
    optional("string", "pretrained_layer_bin"),
)
declare_message(
    "LSTMParameter",
    optional("uint32", "num_output"),
    optional("float", "clipping_threshold", default=0.0),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("uint32", "batch_size", default=1),
    optional("uint32", "paramq", execution_only=True),
    optional("float", "scale_in", execution_only=True),
    optional("float", "scale_out", execution_only=True),
    optional("int32", "a_min", default=-128, execution_only=True),
    optional("int32", "a_max", default=127, execution_only=True),
)
declare_message(
    "Pooling3DParameter",
    enum("PoolMethod", MAX=0, AVE=1, STOCHASTIC=2),
    optional("PoolMethod", "pool", default="MAX"),
    optional("uint32", "kernel_size"),
    optional("uint32", "kernel_depth"),
    optional("uint32", "stride", default=1),
    optional("uint32", "temporal_stride", default=1),
    optional("uint32", "pad", default=0),
    optional("uint32", "temporal_pad", default=0),
)
declare_message(
    "YoloDetectionOutputParameter",
    optional("uint32", "side", default=13),
    optional("uint32", "num_classes", default=20),
    optional("uint32", "num_box", default=5),
    optional("uint32", "coords", default=4),
    optional("float", "confidence_threshold", default=0.01),
    optional("float", "nms_threshold", default=0.45),
    repeated("float", "biases"),
    optional("string", "label_map_file"),
)
declare_message(
    "Yolov3DetectionOutputParameter",
    optional("uint32", "num_classes", default=20),
    optional("uint32", "num_box", default=3),
    optional("float", "confidence_threshold", default=0.01),
    optional("float", "nms_threshold", default=0.45),
    repeated("float", "biases"),
    repeated("uint32", "anchors_scale"),
    optional("uint32", "mask_group_num", default=2),
    repeated("uint32", "mask"),
)
extend_message(
    "ArgMaxParameter",
    optional("bool", "softmax_threshold", default=False),
)
extend_message(
    "ConvolutionParameter",
    optional("uint32", "paramq", execution_only=True),
    optional("float", "params", default=0.0, execution_only=True),
    optional("float", "scale_in", execution_only=True),
    optional("float", "scale_out", execution_only=True),
    optional("int32", "a_min", default=-128, execution_only=True),
    optional("int32", "a_max", default=127, execution_only=True),
)
extend_message(
    "DataParameter",
    optional("uint32", "label_size", default=0),
    optional("uint32", "data_width", default=0),
    optional("bool", "output_width", default=False),
)
extend_message(
    "ImageDataParameter",
    optional("uint32", "label_num", default=1),
    optional("uint32", "att_num", default=1),
)
extend_message(
    "InnerProductParameter",
    optional("uint32", "paramq", default=0, execution_only=True),
    optional("float", "params", default=0.0, execution_only=True),
    optional("float", "scale_in", execution_only=True),
    optional("float", "scale_out", execution_only=True),
    optional("int32", "a_min", default=-128, execution_only=True),
    optional("int32", "a_max", default=127, execution_only=True),
)
extend_message(
    "LayerParameter",
    optional("YoloDetectionOutputParameter", "yolo_detection_output_param"),
    optional("Yolov3DetectionOutputParameter", "yolov3_detection_output_param"),
    optional("ROIAlignParameter", "roi_align_param"),
    optional("ShuffleChannelParameter", "shuffle_channel_param"),
    optional("Convolution3DParameter", "convolution3d_param"),
    optional("LSTMParameter", "lstm_param"),
    optional("Im2seqParameter", "im2seq_param"),
    optional("Seq2outParameter", "seq2out_param"),
    optional("ImgSizeParameter", "img_size_param"),
    optional("Pooling3DParameter", "pooling3d_param"),
)
extend_message(
    "LossParameter",
    optional("bool", "is_num_scale", default=True),
)

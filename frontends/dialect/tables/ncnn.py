"""ncnn's converter: its numbers. Tencent/ncnn: tools/caffe/caffe.proto."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "ncnn",
    "ncnn's converter",
    """
BNParameter bn_mode=3 scale_filler=1 shift_filler=2
DetectionOutputParameter num_classes=1 share_location=2 background_label_id=3 nms_param=4
    save_output_param=5 code_type=6 variance_encoded_in_target=8 keep_top_k=7
    confidence_threshold=9 visualize=10 visualize_threshold=11 save_file=12
DropoutParameter scale_train=2
InterpParameter height=1 width=2 zoom_factor=3 shrink_factor=4 pad_beg=5 pad_end=6
LayerParameter bn_param=45 detection_output_param=204 yolo_detection_output_param=601
    yolov3_detection_output_param=603 interp_param=205 norm_param=206 permute_param=202
    prior_box_param=203 psroi_pooling_param=149 reorg_param=147 roi_align_param=148
    roi_pooling_param=8266711 shuffle_channel_param=145 smooth_l1_loss_param=8266712
NonMaximumSuppressionParameter nms_threshold=1 top_k=2 eta=3
NormalizeParameter across_spatial=1 scale_filler=2 channel_shared=3 eps=4
PSROIPoolingParameter spatial_scale=1 output_dim=2 group_size=3
PermuteParameter order=1
PriorBoxParameter min_size=1 max_size=2 aspect_ratio=3 flip=4 clip=5 variance=6 img_size=7
    img_h=8 img_w=9 step=10 step_h=11 step_w=12 offset=13
ROIAlignParameter pooled_h=1 pooled_w=2 spatial_scale=3
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
ReorgParameter stride=1 reverse=2
ResizeParameter prob=1 resize_mode=2 height=3 width=4 height_scale=8 width_scale=9 pad_mode=5
    pad_value=6 interp_mode=7
SaveOutputParameter output_directory=1 output_name_prefix=2 output_format=3 label_map_file=4
    name_size_file=5 num_test_image=6 resize_param=7
ShuffleChannelParameter group=1
SmoothL1LossParameter sigma=1
YoloDetectionOutputParameter side=1 num_classes=2 num_box=3 coords=4 confidence_threshold=5
    nms_threshold=6 biases=7 label_map_file=8
Yolov3DetectionOutputParameter num_classes=1 num_box=2 confidence_threshold=3 nms_threshold=4
    biases=5 anchors_scale=6 mask_group_num=7 mask=8
""",
    reads_only=True,
)

"""MobileNet-YOLO: its numbers. eric612/MobileNet-YOLO."""

from __future__ import annotations

from ..dialect import declare_dialect
from .ssd import SSD

declare_dialect(
    "mobilenet_yolo",
    "MobileNet-YOLO",
    """
AnnotatedDataParameter yolo_data_type=4 yolo_data_jitter=5 train_diffcult=6 single_class=7
    seg_scales=8 seg_resize_width=9 seg_resize_height=10 difficult_label_warmup=11
Annotation lanes=3
LaneInfo x=1 y=2 id=3
LayerParameter region_loss_param=600 yolov3_param=603 yolo_seg_param=604
    segmentation_evaluate_param=605 yolo_detection_output_param=601
    yolov3_detection_output_param=602 relu6_param=211 reorg_param=149 upsample_param=150
RegionLossParameter side=1 num_class=2 bias_match=3 coords=4 num=5 softmax=6 jitter=7 rescore=8
    object_scale=9 class_scale=10 noobject_scale=11 coord_scale=12 absolute=13 thresh=14
    random=15 biases=16 softmax_tree=17 class_map=18
ReorgParameter stride=1 reverse=2
SegmentationEvaluateParameter num_classes=1 threshold=2
SolverParameter eval_type=52 ap_version=53 stagelr=50 stageiter=51
TransformationParameter enable_classf_aug=15 min_scaling_factor=16 max_scaling_factor=17
    max_rotation_angle=18 contrast_brightness_adjustment=19 smooth_filtering=20 min_contrast=21
    max_contrast=22 max_brightness_shift=23 max_smooth=24 max_color_shift=25 min_side_min=26
    min_side_max=27 min_side=28 apply_probability=29 debug_params=30 cvt_bgr2rgb=31
UpsampleParameter scale=1:int32
V1LayerParameter relu6_param=61
YoloDetectionOutputParameter side=1 num_classes=2 num_box=3 coords=4 confidence_threshold=5
    nms_threshold=6 biases=7 label_map_file=8
YoloSegItem name=1 label_id=2 label=3 r=4 g=5 b=6
YoloSegLabel item=1
YoloSegParameter num_class=1 object_scale=2 class_scale=3 use_logic_gradient=4 use_hardsigmoid=5
Yolov3DetectionOutputParameter num_classes=1 num_box=2 confidence_threshold=3 nms_threshold=4
    biases=5 anchors_scale=6 mask_group_num=7 mask=8 gaussian_box=9
Yolov3Parameter side=1 num_class=2 num=3 object_scale=4 class_scale=5 noobject_scale=6
    coord_scale=7 thresh=8 anchors_scale=10 biases=11 mask=12 use_logic_gradient=13
    use_focal_loss=14 iou_loss=15 iou_normalizer=16 iou_thresh=17 max_delta=18 accumulate=19
    label_smooth_eps=20
AnnotatedDatum.AnnotationType BBOXandSeg=1 LANE=2
V1LayerParameter.LayerType RELU6=61
""",
    extends=SSD,
)

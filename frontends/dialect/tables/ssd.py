"""SSD: its numbers. weiliu89/caffe, branch ssd."""

from __future__ import annotations

from ..dialect import declare_dialect

SSD = declare_dialect(
    "ssd",
    "SSD",
    """
AnnotatedDataParameter batch_sampler=1 label_map_file=2 anno_type=3
AnnotatedDatum datum=1 type=2 annotation_group=3
Annotation instance_id=1 bbox=2
AnnotationGroup group_label=1 annotation=2
BatchSampler use_original_image=1 sampler=2 sample_constraint=3 max_sample=4 max_trials=5
DetectionEvaluateParameter num_classes=1 background_label_id=2 overlap_threshold=3
    evaluate_difficult_gt=4 name_size_file=5 resize_param=6
DetectionOutputParameter num_classes=1 share_location=2 background_label_id=3 nms_param=4
    save_output_param=5 code_type=6 variance_encoded_in_target=8 keep_top_k=7
    confidence_threshold=9 visualize=10 visualize_threshold=11 save_file=12
DistortionParameter brightness_prob=1 brightness_delta=2 contrast_prob=3 contrast_lower=4
    contrast_upper=5 hue_prob=6 hue_delta=7 saturation_prob=8 saturation_lower=9
    saturation_upper=10 random_order_prob=11
EmitConstraint emit_type=1 emit_overlap=2
ExpansionParameter prob=1 max_expand_ratio=2
LabelMap item=1
LabelMapItem name=1 label=2 display_name=3
LayerParameter annotated_data_param=200 detection_evaluate_param=205 detection_output_param=204
    multibox_loss_param=201 norm_param=206 permute_param=202 prior_box_param=203
    video_data_param=207
MultiBoxLossParameter loc_loss_type=1 conf_loss_type=2 loc_weight=3 num_classes=4
    share_location=5 match_type=6 overlap_threshold=7 use_prior_for_matching=8
    background_label_id=9 use_difficult_gt=10 do_neg_mining=11 neg_pos_ratio=12 neg_overlap=13
    code_type=14 encode_variance_in_target=16 map_object_to_agnostic=17
    ignore_cross_boundary_bbox=18 bp_inside=19 mining_type=20 nms_param=21 sample_size=22
    use_prior_for_nms=23
NoiseParameter prob=1 hist_eq=2 inverse=3 decolorize=4 gauss_blur=5 jpeg=6 posterize=7 erode=8
    saltpepper=9 saltpepper_param=10 clahe=11 convert_to_hsv=12 convert_to_lab=13
NonMaximumSuppressionParameter nms_threshold=1 top_k=2 eta=3
NormalizeParameter across_spatial=1 scale_filler=2 channel_shared=3 eps=4
NormalizedBBox xmin=1 ymin=2 xmax=3 ymax=4 label=5 difficult=6 score=7 size=8
PermuteParameter order=1
PriorBoxParameter min_size=1 max_size=2 aspect_ratio=3 flip=4 clip=5 variance=6 img_size=7
    img_h=8 img_w=9 step=10 step_h=11 step_w=12 offset=13
ResizeParameter prob=1 resize_mode=2 height=3 width=4 height_scale=8 width_scale=9 pad_mode=5
    pad_value=6 interp_mode=7
SaltPepperParameter fraction=1 value=2
SampleConstraint min_jaccard_overlap=1 max_jaccard_overlap=2 min_sample_coverage=3
    max_sample_coverage=4 min_object_coverage=5 max_object_coverage=6
Sampler min_scale=1 max_scale=2 min_aspect_ratio=3 max_aspect_ratio=4
SaveOutputParameter output_directory=1 output_name_prefix=2 output_format=3 label_map_file=4
    name_size_file=5 num_test_image=6 resize_param=7
SolverParameter eval_type=41 ap_version=42 show_per_class_result=44 plateau_winsize=43
TransformationParameter crop_h=11 crop_w=12 resize_param=8 noise_param=9 distort_param=13
    expand_param=14 emit_constraint=10
VideoDataParameter video_type=1 device_id=2 video_file=3 skip_frames=4
""",
)

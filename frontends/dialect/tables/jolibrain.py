"""DeepDetect's Caffe: its numbers. jolibrain/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "jolibrain",
    "DeepDetect's Caffe",
    """
AnnotatedDataParameter batch_sampler=1 label_map_file=2 anno_type=3
AnnotatedDatum datum=1 type=2 annotation_group=3
Annotation instance_id=1 bbox=2
AnnotationGroup group_label=1 annotation=2
BatchSampler use_original_image=1 sampler=2 sample_constraint=3 max_sample=4 max_trials=5
ContinuationIndicatorParameter time_step=1 axis=2
ConvolutionParameter cudnn_flavor=19
CtcLossParameter alphabet_size=1 time_step=3 blank_label=4
DenseImageDataParameter source=1 batch_size=2 rand_skip=3 shuffle=4 new_height=5 new_width=6
    is_color=7 mean_file=8 root_folder=9 mirror=10 crop_width=11 crop_height=12
DetectionEvaluateParameter num_classes=1 background_label_id=2 overlap_threshold=3
    evaluate_difficult_gt=4 name_size_file=5 resize_param=6 output_logits=7
DetectionOutputParameter num_classes=1 share_location=2 background_label_id=3 nms_param=4
    save_output_param=5 code_type=6 variance_encoded_in_target=8 keep_top_k=7
    confidence_threshold=9 visualize=10 visualize_threshold=11 save_file=12 objectness_score=13
    output_logits=14
DiceCoefLossParameter generalization=3 weight_mode=5 weights=6 contour_shape=7 contour_size=8
    contour_amplitude=9 ignore_label=4
DistortionParameter prob=1 brightness=2 brightness_delta=3 contrast=4 contrast_lower=5
    contrast_upper=6 hue=7 hue_delta=8 saturation=9 saturation_lower=10 saturation_upper=11
    random_order=12 all_effects=13
DropoutParameter scale_train=2
EmitConstraint emit_type=1 emit_overlap=2
ExpansionParameter prob=1 max_expand_ratio=2
FocalLossParameter engine=1 axis=2 alpha=3 gamma=4
GeometryParameter prob=1 persp_horizontal=2 persp_vertical=3 zoom_out=4 zoom_in=5 zoom_factor=6
    persp_factor=7 all_effects=8 pad_mode=9
HDF5DataParameter image=4
ImageDataParameter label_size=13 root_folder=14 ignore_label=15 label_type=16
InterpParameter height=1 width=2 zoom_factor=3 shrink_factor=4 pad_beg=5 pad_end=6 mode=7
LabelMap item=1
LabelMapItem name=1 label=2 display_name=3
LabelsequenceAccuracyParameter blank_label=1
LayerParameter shuffle_channel_param=154 annotated_data_param=200 clip_param=161
    detection_evaluate_param=205 detection_output_param=204 interp_param=153
    multibox_loss_param=201 norm_param=206 permute_param=202 prior_box_param=203
    roi_pooling_param=147 smooth_l1_loss_param=148 focal_loss_param=156 swish_param=160
    selu_param=149 selu_dropout_param=150 video_data_param=207 upsample_param=152
    dense_image_data_param=46 ctc_loss_param=157 continuation_indicator_param=158
    labelsequence_accuracy_param=159 dice_coef_loss_param=208 reverse_param=209
LossParameter normalization=5
MultiBoxLossParameter loc_loss_type=1 conf_loss_type=2 loc_weight=3 num_classes=4
    share_location=5 match_type=6 overlap_threshold=7 use_prior_for_matching=8
    background_label_id=9 use_difficult_gt=10 do_neg_mining=11 neg_pos_ratio=12 neg_overlap=13
    code_type=14 encode_variance_in_target=16 map_object_to_agnostic=17
    ignore_cross_boundary_bbox=18 bp_inside=19 mining_type=20 nms_param=21 sample_size=22
    use_prior_for_nms=23 objectness_score=24
NoiseParameter prob=1 hist_eq=2 inverse=3 decolorize=4 gauss_blur=5 jpeg=6 posterize=7 erode=8
    saltpepper=9 saltpepper_param=10 clahe=11 convert_to_hsv=12 convert_to_lab=13 all_effects=14
NonMaximumSuppressionParameter nms_threshold=1 top_k=2 eta=3 soft_nms=4 theta=5
NormalizeParameter across_spatial=1 scale_filler=2 channel_shared=3 eps=4
NormalizedBBox xmin=1 ymin=2 xmax=3 ymax=4 label=5 difficult=6 score=7 size=8
PermuteParameter order=1
PriorBoxParameter min_size=1 max_size=2 aspect_ratio=3 flip=4 clip=5 variance=6 img_size=7
    img_h=8 img_w=9 step=10 step_h=11 step_w=12 offset=13
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
ResizeParameter prob=1 resize_mode=2 height=3 width=4 height_scale=8 width_scale=9 pad_mode=5
    pad_value=6 interp_mode=7
ReverseParameter axis=1
SaltPepperParameter fraction=1 value=2
SampleConstraint min_jaccard_overlap=1 max_jaccard_overlap=2 min_sample_coverage=3
    max_sample_coverage=4 min_object_coverage=5 max_object_coverage=6
Sampler min_scale=1 max_scale=2 min_aspect_ratio=3 max_aspect_ratio=4
SaveOutputParameter output_directory=1 output_name_prefix=2 output_format=3 label_map_file=4
    name_size_file=5 num_test_image=6 resize_param=7
ShuffleChannelParameter group=1
SmoothL1LossParameter sigma=1
SoftmaxParameter scaling_temperature=3
SolverParameter eval_type=41 ap_version=42 show_per_class_result=44 lr_dropout=62
    decoupled_wd_t0=60 decoupled_wd_mult=61 plateau_winsize=43 amsgrad=45 rectified=46 gc=57
    adabelief=47 warmup_iter=48 warmup_start_lr=49 min_lr=50 lr_mult=51 p_mult=52 period=53
    lookahead=54 lookahead_steps=55 lookahead_alpha=56
TransformationParameter crop_h=11 crop_w=12 resize_param=8 noise_param=9 distort_param=13
    geometry_param=16 expand_param=14 emit_constraint=10 rotate=15 untransformed_top=17
UpsampleParameter scale=1:uint32 scale_h=2 scale_w=3 pad_out_h=4 pad_out_w=5 upsample_h=6
    upsample_w=7
VideoDataParameter video_type=1 device_id=2 video_file=3 skip_frames=4
V1LayerParameter.LayerType SELU=40 SELU_DROPOUT=41 DICE_LOSS=42
""",
)

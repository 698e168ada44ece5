"""Intel's Caffe: its numbers. intel/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "intel",
    "Intel's Caffe",
    """
AnnotatedDataParameter batch_sampler=1 label_map_file=2 anno_type=3
AnnotatedDatum datum=1 type=2 annotation_group=3
Annotation instance_id=1 bbox=2
AnnotationGroup group_label=1 annotation=2
BatchNormParameter engine=4 use_weight_bias=5 bias_term=6 filler=7 bias_filler=8
    stats_batch_size=9 relu=10
BatchSampler use_original_image=1 sampler=2 sample_constraint=3 max_sample=4 max_trials=5
BoxAnnotatorOHEMParameter roi_per_img=1 ignore_label=2
CompileNetState is_init=1 bn_scale_remove=2 bn_scale_merge=3 kept_bn_layers=4
    negative_conv_names=5 negative_conv_indexes=6
ConcatParameter per_fla_fuse=4 engine=3
ConvolutionParameter relu=19 negative_slope=20 conv_algorithm=21 coeff=23 fusion_type=24
DataParameter shuffle=11 side=12
DetectionEvaluateParameter num_classes=1 background_label_id=2 overlap_threshold=3
    evaluate_difficult_gt=4 name_size_file=5 resize_param=6
DetectionOutputParameter num_classes=1 share_location=2 background_label_id=3 nms_param=4
    save_output_param=5 code_type=6 variance_encoded_in_target=8 keep_top_k=7
    confidence_threshold=9 visualize=10 visualize_threshold=11 save_file=12
DistortionParameter brightness_prob=1 brightness_delta=2 contrast_prob=3 contrast_lower=4
    contrast_upper=5 hue_prob=6 hue_delta=7 saturation_prob=8 saturation_lower=9
    saturation_upper=10 random_order_prob=11
EltwiseParameter engine=4
EmitConstraint emit_type=1 emit_overlap=2
EvalDetectionParameter side=1 num_class=2 num_object=3 threshold=4 sqrt=5 constriant=6
    score_type=7 nms=8 biases=9
ExpansionParameter prob=1 max_expand_ratio=2
FillerParameter scale=9
ImageDataParameter min_height=13 min_width=14
InnerProductParameter engine=7 relu=8 negative_slope=9
LabelMap item=1
LabelMapItem name=1 label=2 display_name=3
LayerParameter annotated_data_param=200 box_annotator_ohem_param=152
    detection_evaluate_param=205 detection_output_param=204 multibox_loss_param=201
    norm_param=206 permute_param=202 psroi_pooling_param=153 prior_box_param=203
    roi_pooling_param=154 smooth_l1_loss_param=148 split_param=208 video_data_param=207
    spatial_dropout_param=155 engine=149 multinode=150 mn_activation_param=151
    mn_grad_compress_param=156 quantization_param=158 reorg_param=159 region_loss_param=209
    eval_detection_param=301
LossParameter pre_fixed_normalizer=4 label_smoothing=5
MnActivationParameter num_nodes_in=1 num_nodes_out=2 model_parts_in=3 model_parts_out=4
    need_reduce=5
MnModelParallelParameter layer_from=1 layer_to=2 num_nodes=3 model_parts=4
MnParamGradCompressLayerTypeList layer_type=1
MnParamGradCompressParameter param_grad_compress_enable=1
MultiBoxLossParameter loc_loss_type=1 conf_loss_type=2 loc_weight=3 num_classes=4
    share_location=5 match_type=6 overlap_threshold=7 use_prior_for_matching=8
    background_label_id=9 use_difficult_gt=10 do_neg_mining=11 neg_pos_ratio=12 neg_overlap=13
    code_type=14 encode_variance_in_target=16 map_object_to_agnostic=17
    ignore_cross_boundary_bbox=18 bp_inside=19 mining_type=20 nms_param=21 sample_size=22
    use_prior_for_nms=23
MultinodeLayerParameter num_nodes=1 model_parts=2
MultinodeParameter model_parallel=1 compress_layer_type_list=2
NetParameter compile_net_state=10 engine=9 bn_stats_batch_size=11 multinode=101
NoiseParameter prob=1 hist_eq=2 inverse=3 decolorize=4 gauss_blur=5 jpeg=6 posterize=7 erode=8
    saltpepper=9 saltpepper_param=10 clahe=11 convert_to_hsv=12 convert_to_lab=13
NonMaximumSuppressionParameter nms_threshold=1 top_k=2 eta=3
NormalizeParameter across_spatial=1 scale_filler=2 channel_shared=3 eps=4
NormalizedBBox xmin=1 ymin=2 xmax=3 ymax=4 label=5 difficult=6 score=7 size=8
PSROIPoolingParameter spatial_scale=1 output_dim=2 group_size=3
PermuteParameter order=1
PoolingParameter pad_3d=15 kernel_size_3d=16 stride_3d=17 avg_include_pad=13 axis=14
PriorBoxParameter min_size=1 max_size=2 aspect_ratio=3 flip=4 clip=5 variance=6 img_size=7
    img_h=8 img_w=9 step=10 step_h=11 step_w=12 offset=13
QuantizationParameter precision=1 rounding_scheme=2 bw_layer_in=3 bw_layer_out=4 bw_params=5
    fl_layer_in=6 fl_layer_out=7 fl_params=8 scale_in=20 scale_out=21 scale_params=22
    is_negative_input=23 force_u8_input=24
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3 pooled_size=4
RandomAspectRatioParameter min_area_ratio=1 max_area_ratio=2 aspect_ratio_change=3 max_attempt=4
    resize_param=5
RandomResizeParameter min_size=1 max_size=2 resize_param=3
ReLUParameter fuse=3
RegionLossParameter side=1 num_class=2 bias_match=3 coords=4 num=5 softmax=6 jitter=7 rescore=8
    object_scale=9 class_scale=10 noobject_scale=11 coord_scale=12 absolute=13 thresh=14
    random=15 biases=16 softmax_tree=17 class_map=18
ReorgParameter stride=1 reverse=2
ReshapeParameter pixelshuffler=4
ResizeParameter prob=1 resize_mode=2 height=3 width=4 height_scale=8 width_scale=9 pad_mode=5
    pad_value=6 interp_mode=7
SaltPepperParameter fraction=1 value=2
SampleConstraint min_jaccard_overlap=1 max_jaccard_overlap=2 min_sample_coverage=3
    max_sample_coverage=4 min_object_coverage=5 max_object_coverage=6
Sampler min_scale=1 max_scale=2 min_aspect_ratio=3 max_aspect_ratio=4
SaveOutputParameter output_directory=1 output_name_prefix=2 output_format=3 label_map_file=4
    name_size_file=5 num_test_image=6 resize_param=7
SmoothL1LossParameter sigma=1
SolverParameter eval_type=41 ap_version=42 show_per_class_result=43 plateau_winsize=44
    stagelr=150 stageiter=151 disabled_update=46 engine=47 warmup_iter=48 warmup_start_lr=49
    local_lr_auto=50 local_gw_ratio=51 test_offset=52
SpatialDropoutParameter dropout_ratio=1
SplitParameter engine=1
TransformationParameter crop_h=11 crop_w=12 resize_param=8 noise_param=9 distort_param=13
    expand_param=14 emit_constraint=10 random_resize_param=15 random_aspect_ratio_param=16
    flow=17 bgr2rgb=18 pad=19
VideoDataParameter video_type=1 device_id=2 video_file=3 skip_frames=4
ConvolutionParameter.Engine MKL2017=3 MKLDNN=4
LRNParameter.Engine MKL2017=3 MKLDNN=4
LossParameter.NormalizationMode PRE_FIXED=3 NONE=4
PoolingParameter.Engine MKL2017=3 MKLDNN=4
ReLUParameter.Engine MKL2017=3 MKLDNN=4
""",
)

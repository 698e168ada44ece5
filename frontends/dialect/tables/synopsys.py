"""Synopsys' Caffe: its numbers. foss-for-synopsys-dwc-arc-processors/synopsys-caffe."""

from __future__ import annotations

from ..dialect import declare_dialect
from .ssd import SSD

declare_dialect(
    "synopsys",
    "Synopsys' Caffe",
    """
AccumParameter top_height=1 top_width=2 size_divisible_by=3 have_reference=4
AdaptiveBiasChannelParameter num_iter=1 bg_portion=2 fg_portion=3 suppress_others=4
    margin_others=5
ArgMaxParameter min_first=4
AttentionParameter batch_size=1 query_depth=2 alignments_size=3 scale=4 normalize=5
    attention_option=6
AugmentationParameter crop_width=33 crop_height=34 write_augmented=2 max_multiplier=3
    augment_during_test=4 recompute_mean=5 write_mean=6 mean_per_pixel=7 mean=18 mode=8
    bottomwidth=80 bottomheight=81 num=82 chromatic_eigvec=83 mirror=10 translate=11 rotate=12
    zoom=13 squeeze=14 translate_x=15 translate_y=16 gamma=35 brightness=36 contrast=37 color=38
    lmult_pow=20 lmult_mult=21 lmult_add=22 sat_pow=23 sat_mult=24 sat_add=25 col_pow=26
    col_mult=27 col_add=28 ladd_pow=29 ladd_mult=30 ladd_add=31 col_rotate=32 fog_amount=100
    fog_size=101 motion_blur_angle=102 motion_blur_size=103 shadow_angle=104 shadow_distance=105
    shadow_strength=106 noise=107
BNParameter bn_mode=3 scale_filler=1 shift_filler=2 slope_filler=7 bias_filler=8 momentum=9
    eps=4 frozen=5 engine=6 icnet=10
BatchNormParameter add_eps_before_sqrt=4 update_global_stats=6 icnet=7
BatchToSpaceNDParameter block_shape=1 crops=2
BiasChannelParameter bg_bias=1 fg_bias=2 ignore_label=3 label_type=4 background_label=6
BiasParameter input_scale=4 output_scale=5 bias_scale=6 input_zero_point=7 output_zero_point=8
    bias_zero_point=9 saturate=10 quantize_method=11
BlackAugmentationParameter black=10 border=11
BroadcastToParameter shape=1
CoeffScheduleParameter half_life=1 initial_coeff=2 final_coeff=3
ConcatParameter input_scale=3 output_scale=4 input_zero_point=5 output_zero_point=6 saturate=7
    quantize_method=8
ConvolutionParameter pad_type=19 pad_l=26 pad_r=27 pad_t=28 pad_b=29 input_scale=30
    output_scale=31 weight_scale=33 input_zero_point=35 output_zero_point=36
    weight_zero_point=37 per_channel_scale_weight=39 per_channel_scale_output=41
    submanifold_sparse=42 saturate=32 quantize_method=40 weight_fixed=23 dis_mode=20 gen_mode=21
    shape_offset=22
Corr1dParameter num_of_shifts=32 stride=1
CorrelationParameter pad=2 kernel_size=3 max_displacement=4 stride_1=5 stride_2=6
    single_direction=8 do_abs=7 correlation_type=15
CountNonzeroParameter axis=1 keepdims=2
CropAndResizeParameter crop_h=1 crop_w=2 extrapolation_value=3 data_format=4
DataParameter side=11 disk_reader_threads=4001 huge_video_dataset=7000 limit_samples=7001
    preselection_file=3001 preselection_label=3002 range_start=3003 range_end=3004
    rand_permute=3005 rand_permute_order=3006 rand_permute_seed=3007 slice_point=3008
    encoding=3009 verbose=3010 subtract=3011 permute_every_iter=3012 block_size=3013 random=22
DenseCRFParameter max_iter=1 pos_xy_std=2 pos_w=3 bi_xy_std=4 bi_rgb_std=5 bi_w=6
    output_probability=7
DenseImageDataParameter source=1 batch_size=2 rand_skip=3 shuffle=4 new_height=5 new_width=6
    is_color=7 mean_file=8 root_folder=9 mirror=10 crop_width=11 crop_height=12
DepthToSpaceParameter block_size=1 data_format=2
DetectionOutputParameter objectness_score=24 ratio_permute=25 no_permute=32 nbottom=33
    arm_conf_no_concat=38 arm_loc_no_concat=39 ratio0=26 ratio1=27 ratio2=28 ratio3=29 ratio4=30
    ratio5=31 tflite_detection=34 tflite_use_regular_nms=35 max_classes_per_detection=36
    scale_xywh=37
DistortionParameter exposure_lower=12 exposure_upper=13
DomainTransformParameter num_iter=1 spatial_sigma=2 range_sigma=3 min_weight=4
DownsampleParameter top_height=1 top_width=2
DropoutParameter sample_weights_test=2 scale_train=3
EltwiseParameter input_scale=14 output_scale=15 input_zero_point=16 output_zero_point=17
    saturate=5 quantize_method=18 axis=6
EmbeddingLookupParameter ids=1 ids_shape=2 partition_strategy=3 max_norm=4
EmbeddingLookupSparseParameter ids_indices=1 ids_values=2 ids_shape=3 weight_values=4
    partition_strategy=5 combiner=6 max_norm=7
ExpandDimsNDParameter axis=1
FillerParameter diag_val=9
FlowWarpParameter fill_value=1
GANLossParameter dis_iter=1 gen_iter=2 dis_lossweight=3 gen_lossweight=4 simple_genloss=5 k_lr=6
    equilibrium=7 nothing=8
GatherNDParameter indices=1 indices_shape=2
GatherParameter indices=1 shape=2 axis=3
GatherV2Parameter axis=1 batch_flag=2
GemmParameter alpha=1 beta=2 transA=3 transB=4
HardSigmoidParameter alpha=1 beta=2
ImageDataParameter ignore_label=15 label_type=16
InnerProductParameter weight_fixed=7 dis_mode=8 gen_mode=9 input_scale=11 output_scale=12
    weight_scale=13 input_zero_point=15 output_zero_point=16 weight_zero_point=17 saturate=19
    quantize_method=20
InputParameter output_scale=2 output_zero_point=3
InterpParameter height=1 width=2 zoom_factor=3 shrink_factor=4 pad_beg=5 pad_end=6
    full_zoom_factor=7
L1LossParameter l2_per_location=1 l2_prescale_by_channels=2 normalize_by_num_entries=3 epsilon=4
    plateau=3001
LRNParameter input_scale=7 output_scale=8
LayerNormParameter eps=1 elementwise_affine=2
LayerParameter adaptive_bias_channel_param=178 bias_channel_param=169 bn_param=45 clip_param=248
    dense_crf_param=176 dense_image_data_param=168 domain_transform_param=167 gan_loss_param=171
    interp_param=163 mat_read_param=181 mat_write_param=165 pooling3d_param=266
    proposal_param=212 xlu_param=237 roi_align_param=247 roi_pooling_param=8266711
    seg_accuracy_param=164 shuffle_channel_param=166 smooth_l1_loss_param=8266712
    log_softmax_param=267 squeeze_convolution_param=187 squeeze_inner_product_param=188
    unique_label_param=170 upsample_param=177 coeff_schedule_param=148 augmentation_param=149
    correlation_param=150 l1_loss_param=151 writer_param=152 reader_param=153 mean_param=154
    resample_param=155 downsample_param=156 lpq_loss_param=158 flow_warp_param=159
    accum_param=160 black_augmentation_param=161 reshape_every_iter=157 reorg_param=197
    yolo_v2_loss_param=198 yolo_v3_loss_param=199 upsample_darknet_param=209
    depth_to_space_param=208 resize_nearest_neighbor_param=210 gather_param=211
    topk_gather_param=213 nms_param=214 nms_gather_param=215 gather_nd_param=216
    where4_param=218 where4_gathernd_param=219 crop_and_resize_param=220
    where4_gathernd_crop_param=221 pyramid_roi_align_param=222 space_to_depth_param=223
    pad_param=224 stack_param=225 resize_bilinear_param=226 reduce_sum_param=227
    reduce_max_param=228 reduce_min_param=229 reduce_prod_param=230 reduce_mean_param=231
    selu_param=232 selu_dropout_param=233 unstack_param=234 batch_to_space_nd_param=235
    space_to_batch_nd_param=236 mirror_pad_param=238 tile_nd_param=239 expand_dims_nd_param=240
    squeeze_param=241 broadcast_to_param=242 strided_slice_param=243 piece_param=244
    range_param=245 sparse_to_dense_param=246 embedding_lookup_param=249
    embedding_lookup_sparse_param=250 gemm_param=251 reduce_l1_param=252 reduce_l2_param=253
    reduce_logsumexp_param=254 reduce_all_param=255 reduce_any_param=256
    reverse_sequence_param=257 hard_sigmoid_param=258 thresholded_relu_param=259
    one_hot_param=260 reverse_param=261 lp_normalization_param=262 matmul_param=263
    gather_v2_param=264 scaled_tanh_param=265 maskrcnn_detection_param=268
    maskrcnn_proposal_param=269 attention_param=270 rnn_v2_param=272 count_nonzero_param=273
    not_equal_param=274 point_net_param=275 mul_param=278 spatial_batching_pooling_param=279
    non_max_suppression_param=271 scatter_nd_param=276 layer_norm_param=277 tensor2box_param=280
    corr1d_param=281
LogSoftmaxParameter axis=1
LossParameter weight_by_label_freqs=5 class_weighting=6
LpNormalizationParameter axis=1 p=2
LpqLossParameter l2_prescale_by_channels=4016 normalize_by_num_entries=4017 p_epsilon=4013
    q_epsilon=4014 pq_episode_starts_at_iter=4010 p=4011 q=4012
MVNParameter add_eps_before_sqrt=4
MaskRCNNDetectionParameter bbox_std_dev=1 batch_size=2 detection_max_instances=3
    detection_min_confidence=4 detection_nms_threshold=5
MaskRCNNProposalParameter rpn_bbox_std_dev=1 batch_size=2 images_per_gpu=3 pre_nms_limit=4
    rpn_nms_threshold=5 post_nms_rois_inference=6
MatMulParameter transpose_a=1 transpose_b=2 blob_shape=3
MatReadParameter prefix=1 source=2 strip=3 batch_size=4
MatWriteParameter prefix=1 source=2 strip=3 period=4
MeanParameter operation=1 file=2 value=3 mean_scale=4 input_scale=5 output_scale=6
MirrorPadParameter paddings=1 constant_values=2 mode=3
MulParameter mul_shape=1
MultiBoxLossParameter objectness_score=24
NMSGatherParameter top_k=1 axis=2 iou_threshold=3
NMSParameter top_k=1 axis=2 iou_threshold=3
NonMaxSuppressionParameter max_output_boxes_per_class=1 iou_threshold=2 score_threshold=3
    center_point_box=4
NormalizeParameter add_eps_before_sqrt=5
NormalizedBBox x_center=9 y_center=10 width=11 height=12
NotEqualParameter comparand=1
OneHotParameter depth=1 on_value=2 off_value=3 axis=4
PadParameter paddings=1 constant_values=2
PieceParameter begin=1 size=2
PointNetParameter n_sample_point=1 radius=2
Pooling3DParameter pool=1 pad=2 pad_h0=5 pad_h1=6 pad_w0=7 pad_w1=8 pad_d0=9 pad_d1=10
    kernel_size=3 kernel_h=11 kernel_w=12 kernel_d=13 stride=4 stride_h=14 stride_w=15
    stride_d=16 global_pooling=17 ceil_mode=18
PoolingParameter pad_type=13 pad_l=16 pad_r=17 pad_t=18 pad_b=19
    output_shift_instead_division=21 input_scale=30 output_scale=31 input_zero_point=35
    output_zero_point=36 saturate=22 quantize_method=37 ceil_mode=14 round_mode=15
PowerParameter saturate=4 quantize_method=5
PriorBoxParameter faceboxes=14 box_width=15 box_height=16 tf=17 yx_order=18 keras=19
ProposalParameter feat_stride=1 anchor_base_size=2 anchor_scale=3 anchor_ratio=4 max_rois=5
    pre_nms_topn=6 rpn_min_size=7 rpn_nms_thresh=8
PyramidROIAlignParameter crop_height=1 crop_width=2 extrapolation_value=3 data_format=4
RNNv2Parameter num_layers=1 hidden_size=2 op=3 direction=4 activations=5 activation_alpha=6
    activation_beta=7 merge_mode=8 linear_before_reset=9 default_initial=13 continue_recur=14
ROIAlignParameter pooled_h=1 pooled_w=2 spatial_scale=3
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
RandomGeneratorParameter rand_type=1 exp=2 mean=4 spread=5 prob=6 apply_schedule=7 discretize=8
    multiplier=9
RangeParameter start=1 limit=2 delta=3
ReLUParameter relu6=3 maximum=6 minimum=7 input_scale=13 output_scale=14 input_zero_point=15
    output_zero_point=16 saturate=4
ReaderParameter file=1 num=2
RecurrentParameter default_initial=13 continue_recur=14 tf_rnn=7 linear_before_reset=8
    direction=9 activation_alpha=10 activation_beta=11 activations=12
ReduceAllParameter axis=1 keepdims=2
ReduceAnyParameter axis=1 keepdims=2
ReduceL1Parameter axes=1 keepdims=2
ReduceL2Parameter axes=1 keepdims=2
ReduceLogSumExpParameter axis=1 keepdims=2
ReduceMaxParameter axis=1 keepdims=2
ReduceMeanParameter axis=1 keepdims=2
ReduceMinParameter axis=1 keepdims=2
ReduceProdParameter axis=1 keepdims=2
ReduceSumParameter axis=1 keepdims=2
ReorgParameter stride=1 reverse=2
ResampleParameter antialias=4 width=1 height=2 type=3 factor=5
ReshapeParameter pixelshuffler=4
ResizeBilinearParameter align_corners=1 output_height=2 output_width=3 data_format=4
    scale_height=5 scale_width=6 half_pixel_centers=7 pytorch_half_pixel=8 output_depth=9
    scale_depth=10 input_scale=20 output_scale=21 input_zero_point=22 output_zero_point=23
    saturate=24 quantize_method=25
ResizeNearestNeighborParameter align_corners=1 output_height=2 output_width=3 data_format=4
    scale_height=5 scale_width=6 half_pixel_centers=7 half_pixel_onnx=8
ResizeParameter jitter=10
ReverseParameter axis=1
ReverseSequenceParameter seq_axis=1 batch_axis=2
ScaleParameter dis_mode=6 gen_mode=7
ScaledTanHParameter alpha=1 beta=2
ScatterNDParameter is_data_param=1 is_indices_param=2 is_updates_param=3 data_shape=4
    indices_shape=5 updates_shape=6
SeLUDropoutParameter dropout_ratio=1 alpha=2
SeLUParameter lambda=1 alpha=2
SegAccuracyParameter metric=1 ignore_label=2 reset=3
ShuffleChannelParameter group=1
SigmoidParameter input_scale=3 output_scale=4 input_zero_point=5 output_zero_point=6 saturate=7
SmoothL1LossParameter sigma=1 abssum=3
SoftmaxParameter input_scale=3 output_scale=4 input_zero_point=5 output_zero_point=6 saturate=7
SolverParameter gan_solver=51 layer_wise_reduce=45 weights=46
SpaceToBatchNDParameter block_shape=1 paddings=2
SpaceToDepthParameter block_size=1 data_format=2
SparseToDenseParameter sparse_indices=1 sparse_indices_shape=2 output_shape=3 sparse_values=4
    default_value=5 validate_indices=6
SpatialBatchingPoolingParameter pool=1 kernel_size=2 stride=3 pad=4 kernel_h=5 kernel_w=6
    stride_h=7 stride_w=8 pad_h=9 pad_w=10 engine=11 global_pooling=12 ceil_mode=14 pad_l=16
    pad_r=17 pad_t=18 pad_b=19 spatial_batching_h=20 spatial_batching_w=21 batch_h=22 batch_w=23
    skip_h=24 skip_w=25 input_scale=30 output_scale=31 input_zero_point=35 output_zero_point=36
    saturate=26
SqueezeConvolutionParameter num_output=1 bias_term=2 pad=3 kernel_size=4 stride=6 dilation=24
    pad_h=9 pad_w=10 pad_type=29 pad_l=36 pad_r=37 pad_t=38 pad_b=39 kernel_h=11 kernel_w=12
    stride_h=13 stride_w=14 input_scale=46 output_scale=47 weight_scale=49 input_zero_point=51
    output_zero_point=52 weight_zero_point=53 per_channel_scale_weight=59
    per_channel_scale_output=61 submanifold_sparse=62 saturate=48 quantize_method=60 group=5
    weight_filler=7 bias_filler=8 engine=15 axis=16 force_nd_im2col=17 gamma=18 power=19
    iter_stop=20 c_rate=21 weight_mask_filler=22 bias_mask_filler=23 dynamicsplicing=25
    splicing_rate=26
SqueezeInnerProductParameter num_output=1 bias_term=2 weight_filler=3 bias_filler=4 axis=5
    transpose=6 gamma=7 power=8 iter_stop=9 c_rate=10 weight_mask_filler=11 bias_mask_filler=12
    dynamicsplicing=13 splicing_rate=14
SqueezeParameter axis=1
StackParameter axis=1
StridedSliceParameter begin=1 end=2 strides=3 axes=4 begin_mask=5 end_mask=6 ellipsis_mask=7
    new_axis_mask=8 shrink_axis_mask=9
Tensor2BoxParameter num_classes=1 img_dim_h=2 img_dim_w=3 anchors_x=4 anchors_y=5
ThresholdedReLUParameter alpha=1
TileNDParameter multiples=2
TopkGatherParameter top_k=1 axis=2
TransformationParameter scale_factors=18 crop_width=19 crop_height=20 caffe_yolo=21
UniqueLabelParameter max_labels=1 ignore_label=2 force_label=3
UnstackParameter num=1 axis=2
UpsampleDarknetParameter stride=1
UpsampleParameter scale=1:uint32 scale_h=2 scale_w=3 pad_out_h=4 pad_out_w=5 upsample_h=6
    upsample_w=7
V1LayerParameter yolo_v2_loss_param=300 yolo_v3_loss_param=301
Where4GatherndCropParameter num_output=1 axis=2 crop_h=3 crop_w=4 extrapolation_value=5
Where4GatherndParameter num_output=1 axis=2
Where4Parameter num_output=1 axis=2
WriterParameter file=1 folder=2 prefix=3 suffix=4 normalize=5 scale=6
XLUParameter negative_slope=1 relu6=3 maximum=6 minimum=7 saturate=4 engine=2
YoloV2LossParameter anchors=1 side=2 num_classes=3 num_object=4 box_scale=5 class_scale=6
    noobject_scale=7 object_scale=8 rescore=9 constraint=10 thresh=11
YoloV3LossParameter anchors=1 mask=2 side=3 num_classes=4 num_object=5 total_object=6
    ignore_thresh=7 truth_thresh=8 net_w=9 net_h=10
EltwiseParameter.EltwiseOp DIV=3 MIN=4
Pooling3DParameter.PoolMethod AVE_EXC_PAD=2
PoolingParameter.PoolMethod AVE_EXC_PAD=3 AVE_TF=3
SPPParameter.PoolMethod AVE_EXC_PAD=3 AVE_TF=3
V0LayerParameter.PoolMethod AVE_EXC_PAD=3 AVE_TF=3
""",
    extends=SSD,
)

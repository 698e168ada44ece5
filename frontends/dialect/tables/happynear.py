"""happynear's Caffe: its numbers. happynear/caffe-windows."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "happynear",
    "happynear's Caffe",
    """
AccuracyParameter min_is_better=4
BNParameter slope_filler=1 bias_filler=2 momentum=3 eps=4 frozen=5 engine=6
BatchContrastiveParameter positive_margin=1 negative_margin=2 positive_weight=3
    negative_weight=4 max_only=5
BatchNormParameter disable_mean=4 disable_variance=5 scale_filler=7 bias_filler=8 engine=15
CenterLossParameter num_output=1 center_filler=2 axis=3 distance_type=29
ChannelScaleParameter do_forward=1 do_backward_feature=2 do_backward_scale=3 global_scale=4
    max_global_scale=5 min_global_scale=6 init_global_scale=7
ConfidencePenaltyLossParameter beta=1
ConvolutionParameter cudnn_convolution_algo_seeker=19 shape_offset=20
DropoutParameter sqrt_scale=2
EltwiseAffineParameter slope_filler=1 bias_filler=2 channel_shared=3
FCNDataParameter template_h=1 template_w=2 expand_left=3 expand_right=4 expand_top=5
    expand_bottom=6 roi_multiply_h=7 roi_multiply_w=8 scale_step=9 scale_step_num=10
    gaussian_size_h=11 gaussian_size_w=12 gaussian_std_h=13 gaussian_std_w=14 use_hog=15
    hog_cell_size=16 min_iou=17
FeatureDecayLossParameter decay_threshold=1 force_decay=2
FillerParameter alpha=9
FlipParameter flip_width=1 flip_height=2
FocalLossParameter type=1 gamma=2 alpha=3 beta=4
GeneralContrastiveParameter positive_margin=1 negative_margin=2 positive_weight=3
    negative_weight=4 normalize_negative=5 positive_outlier_thresh=6 square=7
    max_negative_only=8 max_positive_only=9 positive_first=10 positive_upper_bound=11
    exp_negative_weight=12 add_intra_mae=13 max_negative_margin=14
GeneralTripletParameter margin=1 add_center_loss=2 hardest_only=3 positive_first=4
    positive_upper_bound=5 positive_weight=6 negative_weight=7
HotspotParameter gaussian_std=1 output_height=2 output_width=3 data_height=4 data_width=5
    mean_removed=6
ImageDataParameter face_transform=13 max_shear_ratio=14 max_aspect_ratio=15 max_rotate_angle=16
    min_random_scale=17 max_random_scale=18 max_random_shift=19 face_mirror=20 face_point_num=21
    balance_class=22 balance_by=23 label_cut_start=24 label_cut_end=25
InfimumLossParamter infimum=1
InnerDistanceParameter num_output=1 bias_term=2 weight_filler=3 bias_filler=4 axis=5 transpose=6
    distance_type=7 normalize=8 update_center_only=9
InnerProductParameter normalize=7
InsanityParameter lb=1 ub=2
LabelSpecificAddParameter bias=1 transform_test=2 bias_base=3 bias_gamma=4 bias_power=5
    bias_min=6 bias_max=7 iteration=8
LabelSpecificAffineParameter scale_base=1 scale_gamma=2 scale_power=3 scale_max=4
    transform_test=5 iteration=6 bias_base=7 bias_gamma=8 bias_power=9 bias_max=10 power_base=11
    power_gamma=12 power_power=13 power_min=14 auto_tune=15 reset=16
LabelSpecificHardMarginParameter positive_weight=1
LabelSpecificMarginParameter type=9 margin_base=1 margin_max=2 power=3 gamma=4 iteration=5
    reset_margin=6 margin_on_test=7 auto_tune=8
LabelSpecificRescaleParameter positive_weight=1 negative_weight=2 positive_lower_bound=3
    negative_upper_bound=4 rescale_test=5 for_ip=6 positive_weight_base=7 gamma=8 power=9
    positive_weight_min=10 positive_weight_max=11 iteration=12 bias_fix=13 power_on_positive=14
LabelSpecificStatisticsParameter scale_for_angle=1 scale_factor=2
LargeMarginInnerProductParameter num_output=1 type=2 weight_filler=3 axis=4 base=5 gamma=6
    power=7 iteration=8 lambda_min=9
LayerParameter bn_param=200 local_param=201 insanity_param=202 triplet_loss_param=203
    roi_pooling_param=204 eltwise_affine_param=205 sub_region_param=206 noise_param=207
    hotspot_param=208 predict_box_param=209 mil_data_param=5065028 mil_param=5065036
    fcn_data_param=210 center_loss_param=211 flip_param=212 inner_distance_param=213
    normalize_param=214 general_contrastive_loss_param=215 soft_contrastive_loss_param=216
    general_triplet_loss_param=217 soft_truncation_param=218 proposal_param=219
    psroi_pooling_param=220 pairwise_param=221 smoothl1_param=222
    batch_contrastive_loss_param=223 permute_param=224 truncation_param=225 nca_param=226
    largemargin_inner_product_param=227 label_specific_rescale_param=228 infimum_loss_param=229
    ordinal_regression_loss_param=230 resize_param=231 margin_inner_product_param=232
    feature_decay_loss_param=233 confidence_penalty_loss_param=234 focal_loss_param=235
    label_specific_margin_param=236 channel_scale_param=237 label_specific_affine_param=238
    label_specific_hard_margin_param=239 label_specific_add_param=241
LocalParameter num_output=1 bias_term=2 pad=3 kernel_size=4 stride=6 weight_filler=7
    bias_filler=8
MILDataParameter source=1 num_scales=2 scale_factor=6 channels=4 images_per_batch=3 n_classes=5
    label_file=7 root_dir=11 ext=12 randomize=13
MILParameter type=1
MarginInnerProductParameter num_output=1 type=2 weight_filler=3 axis=4 base=5 gamma=6 power=7
    iteration=8 lambda_min=9
MemoryDataParameter transpose=5
NCAParameter min_negative_only=1
NoiseParameter gaussian_std=1 uniform_range=2 bias=3
NormalizeParameter normalize_type=1 fix_gradient=2 bp_norm=3
OrdinalRegressionParameter k=1 weight_file=2
PSROIPoolingParameter spatial_scale=1 output_dim=2 group_size=3
PairwiseParameter operation=1 coeff=2
ParameterParameter blob_filler=2
PermuteParameter order=1
PoolingParameter blobs_lr=13 blobs_a_min=14
PredictBoxParameter stride=1 receptive_field=2 nms=3 output_vector=4 positive_thresh=5
    bbreg_exp=6
ProposalParameter feat_stride=1 base_size=2 min_size=3 ratio=4 scale=5 pre_nms_topn=6
    post_nms_topn=7 nms_thresh=8
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
ResizeParameter height=1 width=2 is_pyramid_test=3 out_height_scale=4 out_width_scale=5
ScaleParameter min_value=6 max_value=7
SmoothL1Parameter turn_point=1
SoftContrastiveParameter positive_margin=1 negative_margin=2 positive_weight=3 negative_weight=4
    exponent_scale=5 square=6
SoftTruncationParameter c=1
SoftmaxParameter hard_ratio=3 class_weight=4 hard_mining_label=5 cutting_point=6
    normalize_type=7 label_smooth_factor=8
SolverParameter clamp_weights_lower=42 clamp_weights_upper=43 clip_weights=44
SubRegionParameter region_height=1 region_width=2 data_height=3 data_width=4 as_dim=5
TransformationParameter crop_h=8 crop_w=9 center_crop=10 erase_ratio=11 scale_min=12
    scale_max=13 aspect_min=14 aspect_max=15
TripletLossParameter margin=1
TruncationParameter lower_bound=1 upper_bound=2
V1LayerParameter bn_param=43 local_param=44 prelu_param=45 insanity_param=46
    triplet_loss_param=47 roi_pooling_param=48 eltwise_affine_param=49 sub_region_param=50
    noise_param=51
EltwiseParameter.EltwiseOp SORT=3
""",
)

"""DeepDetect's Caffe: its numbers. jolibrain/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect
from .ssd import SSD

declare_dialect(
    "jolibrain",
    "DeepDetect's Caffe",
    """
ContinuationIndicatorParameter time_step=1 axis=2
ConvolutionParameter cudnn_flavor=19
CtcLossParameter alphabet_size=1 time_step=3 blank_label=4
DenseImageDataParameter source=1 batch_size=2 rand_skip=3 shuffle=4 new_height=5 new_width=6
    is_color=7 mean_file=8 root_folder=9 mirror=10 crop_width=11 crop_height=12
DetectionEvaluateParameter output_logits=7
DetectionOutputParameter objectness_score=13 output_logits=14
DiceCoefLossParameter generalization=3 weight_mode=5 weights=6 contour_shape=7 contour_size=8
    contour_amplitude=9 ignore_label=4
DistortionParameter prob=1 brightness=2 brightness_delta=3 contrast=4 contrast_lower=5
    contrast_upper=6 hue=7 hue_delta=8 saturation=9 saturation_lower=10 saturation_upper=11
    random_order=12 all_effects=13
DropoutParameter scale_train=2
FocalLossParameter engine=1 axis=2 alpha=3 gamma=4
GeometryParameter prob=1 persp_horizontal=2 persp_vertical=3 zoom_out=4 zoom_in=5 zoom_factor=6
    persp_factor=7 all_effects=8 pad_mode=9
HDF5DataParameter image=4
ImageDataParameter label_size=13 root_folder=14 ignore_label=15 label_type=16
InterpParameter height=1 width=2 zoom_factor=3 shrink_factor=4 pad_beg=5 pad_end=6 mode=7
LabelsequenceAccuracyParameter blank_label=1
LayerParameter shuffle_channel_param=154 clip_param=161 interp_param=153 roi_pooling_param=147
    smooth_l1_loss_param=148 focal_loss_param=156 swish_param=160 selu_param=149
    selu_dropout_param=150 upsample_param=152 dense_image_data_param=46 ctc_loss_param=157
    continuation_indicator_param=158 labelsequence_accuracy_param=159 dice_coef_loss_param=208
    reverse_param=209
LossParameter normalization=5
MultiBoxLossParameter objectness_score=24
NoiseParameter all_effects=14
NonMaximumSuppressionParameter soft_nms=4 theta=5
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
ReverseParameter axis=1
ShuffleChannelParameter group=1
SmoothL1LossParameter sigma=1
SoftmaxParameter scaling_temperature=3
SolverParameter lr_dropout=62 decoupled_wd_t0=60 decoupled_wd_mult=61 amsgrad=45 rectified=46
    gc=57 adabelief=47 warmup_iter=48 warmup_start_lr=49 min_lr=50 lr_mult=51 p_mult=52
    period=53 lookahead=54 lookahead_steps=55 lookahead_alpha=56
TransformationParameter geometry_param=16 rotate=15 untransformed_top=17
UpsampleParameter scale=1:uint32 scale_h=2 scale_w=3 pad_out_h=4 pad_out_w=5 upsample_h=6
    upsample_w=7
V1LayerParameter.LayerType SELU=40 SELU_DROPOUT=41 DICE_LOSS=42
""",
    extends=SSD,
)

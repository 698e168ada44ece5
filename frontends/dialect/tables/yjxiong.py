"""temporal segment networks: its numbers. yjxiong/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "yjxiong",
    "temporal segment networks",
    """
BNParameter slope_filler=1 bias_filler=2 momentum=3 eps=4 frozen=5 engine=6
BatchReductionParameter level=1 reduction_param=2 pos=3
ConvolutionParameter dilation=16 dilation_h=17 dilation_w=18
DataParameter shuffle=10
LayerParameter bn_param=137 seg_data_param=141 video_data_param=140 roi_pooling_param=150
    scale_param=160 bias_param=161 batch_reduction_param=162
MemoryOptimizationParameter optimize_train=1 optimize_test=2 exclude_blob=3
NetParameter mem_param=200
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
ReductionParameter k=4
SegDataParameter source=1 root_dir=2 shuffle=3 balance=4
SolverParameter group_id=38 richness=37
TransformationParameter fix_crop=10 more_fix_crop=15 multi_scale=11 scale_ratios=12
    max_distort=13 is_flow=14 original_image=20 stride=16 upper_size=17 upper_height=18
    upper_width=19
VideoDataParameter source=1 batch_size=4 rand_skip=7 shuffle=8 new_height=9 new_width=10
    new_length=11 num_segments=12 scale=2 mean_file=3 crop_size=5 mirror=6 modality=13
    name_pattern=14 encoded=15 grayscale=16
EltwiseParameter.EltwiseOp STOCHASTIC_SUM=3
ReductionParameter.ReductionOp TOPK=5
""",
)

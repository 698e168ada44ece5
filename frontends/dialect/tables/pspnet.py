"""PSPNet: its numbers. hszhao/PSPNet."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "pspnet",
    "PSPNet",
    """
AdaptiveBiasChannelParameter num_iter=1 bg_portion=2 fg_portion=3 suppress_others=4
    margin_others=5
BNParameter slope_filler=1 bias_filler=2 momentum=3 eps=4 frozen=5 engine=6
BatchNormParameter update_global_stats=4
BiasChannelParameter bg_bias=1 fg_bias=2 ignore_label=3 label_type=4 background_label=6
DenseCRFParameter max_iter=1 pos_xy_std=2 pos_w=3 bi_xy_std=4 bi_rgb_std=5 bi_w=6
    output_probability=7
DomainTransformParameter num_iter=1 spatial_sigma=2 range_sigma=3 min_weight=4
ImageDataParameter ignore_label=15 label_type=16
InterpParameter height=1 width=2 zoom_factor=3 shrink_factor=4 pad_beg=5 pad_end=6
LayerParameter adaptive_bias_channel_param=148 bn_param=152 bias_channel_param=149
    dense_crf_param=146 domain_transform_param=147 interp_param=143 mat_read_param=151
    mat_write_param=145 seg_accuracy_param=144 unique_label_param=150
MatReadParameter prefix=1 source=2 strip=3 batch_size=4
MatWriteParameter prefix=1 source=2 strip=3 period=4
SegAccuracyParameter metric=1 ignore_label=2 reset=3
TransformationParameter scale_factors=8 crop_width=9 crop_height=10
UniqueLabelParameter max_labels=1 ignore_label=2 force_label=3
""",
)

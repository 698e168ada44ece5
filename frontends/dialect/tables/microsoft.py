"""R-FCN on Windows: its numbers. microsoft/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "microsoft",
    "R-FCN on Windows",
    """
BoxAnnotatorOHEMParameter roi_per_img=1 ignore_label=2
DropoutParameter scale_train=2
LayerParameter box_annotator_ohem_param=150 psroi_pooling_param=149 roi_pooling_param=147
    smooth_l1_loss_param=148 mil_data_param=5065028 mil_param=5065036
LossParameter pre_fixed_normalizer=4
MILDataParameter source=1 num_scales=2 scale_factor=6 channels=4 images_per_batch=3 n_classes=5
    label_file=7 root_dir=11 ext=12 randomize=13
MILParameter type=1
PSROIPoolingParameter spatial_scale=1 output_dim=2 group_size=3
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3
SmoothL1LossParameter sigma=1
LossParameter.NormalizationMode PRE_FIXED=3 NONE=4
""",
)

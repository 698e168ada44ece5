"""SegNet: its numbers. alexgkendall/caffe-segnet."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "segnet",
    "SegNet",
    """
BNParameter bn_mode=3 scale_filler=1 shift_filler=2
DenseImageDataParameter source=1 batch_size=2 rand_skip=3 shuffle=4 new_height=5 new_width=6
    is_color=7 mean_file=8 root_folder=9 mirror=10 crop_width=11 crop_height=12
DropoutParameter sample_weights_test=2
LayerParameter bn_param=45 dense_image_data_param=138 upsample_param=137
LossParameter weight_by_label_freqs=3 class_weighting=4
UpsampleParameter scale=1:uint32 scale_h=2 scale_w=3 pad_out_h=4 pad_out_w=5 upsample_h=6
    upsample_w=7
""",
)

"""Data layers with a class for every pixel: SegNet's, PSPNet's and DeepLab's, and TSN's."""

from __future__ import annotations

from ..registry import layer
from .inputs import lower_fed

layer(
    "DenseImageData",
    param="dense_image_data_param",
    bottoms=0,
    tops=2,
    source=True,
    also=("transform_param", "data_param"),
    fork="SegNet",
    note="refuses what would change pictures and not labels: transform_param's mirror, crop_size",
)(lower_fed)
layer(
    "ImageSegData",
    param="image_data_param",
    bottoms=0,
    tops=(1, 3),
    source=True,
    also=("transform_param", "data_param"),
    fork="PSPNet",
    fork_fields=("label_type", "ignore_label", "scale_factors", "crop_width", "crop_height"),
    note="new_height and new_width take the nearest label, the fork mixes class numbers; "
    "takes no mean_file",
)(lower_fed)
layer(
    "SegData",
    param="seg_data_param",
    bottoms=0,
    tops=2,
    source=True,
    also=("transform_param",),
    fork="TSN",
    fork_fields=("scale_ratios", "stride", "upper_size", "upper_height", "upper_width"),
    note="one picture a batch, scaled and cut at random in both phases; takes no mean_file. "
    "Without mirror the fork ends with an error",
)(lower_fed)

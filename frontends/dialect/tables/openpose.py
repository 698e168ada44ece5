"""OpenPose's training: its numbers. CMU-Perceptual-Computing-Lab/caffe_train."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "openpose",
    "OpenPose's training",
    """
CPMTransformationParameter scale=1 mirror=2 crop_size=3 mean_file=4 mean_value=5 stride=6
    scale_cvg=7 max_cvg_len=8 min_cvg_len=9 opaque_coverage=10 coverage=11 flip_prob=12
    max_rotate_degree=13 visualize=14 crop_size_x=15 crop_size_y=16 scale_prob=17 scale_min=18
    scale_max=19 bbox_norm_factor=20 img_header=21 force_color=22 force_gray=23 target_dist=24
    center_perterb_max=25 sigma=26 sigma_center=27 clahe_tile_size=28 clahe_clip_limit=29
    do_clahe=30 num_parts=31 num_total_augs=32 aug_way=33 gray=34 np_in_lmdb=35
    transform_body_joint=38
LayerParameter cpm_transform_param=147
""",
)

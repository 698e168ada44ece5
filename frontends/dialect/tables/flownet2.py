"""FlowNet 2: its numbers. lmb-freiburg/flownet2."""

from __future__ import annotations

from ..dialect import declare_dialect

declare_dialect(
    "flownet2",
    "FlowNet 2",
    """
AccumParameter top_height=1 top_width=2 size_divisible_by=3 have_reference=4
AugmentationParameter crop_width=33 crop_height=34 write_augmented=2 max_multiplier=3
    augment_during_test=4 recompute_mean=5 write_mean=6 mean_per_pixel=7 mean=18 mode=8
    bottomwidth=80 bottomheight=81 num=82 chromatic_eigvec=83 mirror=10 translate=11 rotate=12
    zoom=13 squeeze=14 translate_x=15 translate_y=16 gamma=35 brightness=36 contrast=37 color=38
    lmult_pow=20 lmult_mult=21 lmult_add=22 sat_pow=23 sat_mult=24 sat_add=25 col_pow=26
    col_mult=27 col_add=28 ladd_pow=29 ladd_mult=30 ladd_add=31 col_rotate=32 fog_amount=100
    fog_size=101 motion_blur_angle=102 motion_blur_size=103 shadow_angle=104 shadow_distance=105
    shadow_strength=106 noise=107
BlackAugmentationParameter black=10 border=11
CoeffScheduleParameter half_life=1 initial_coeff=2 final_coeff=3
CorrelationParameter pad=2 kernel_size=3 max_displacement=4 stride_1=5 stride_2=6
    single_direction=8 do_abs=7 correlation_type=15
DataParameter disk_reader_threads=4001 huge_video_dataset=7000 limit_samples=7001
    preselection_file=3001 preselection_label=3002 range_start=3003 range_end=3004
    rand_permute=3005 rand_permute_order=3006 rand_permute_seed=3007 slice_point=3008
    encoding=3009 verbose=3010 subtract=3011 permute_every_iter=3012 block_size=3013
DownsampleParameter top_height=1 top_width=2
FillerParameter diag_val=9
FlowWarpParameter fill_value=1
L1LossParameter l2_per_location=1 l2_prescale_by_channels=2 normalize_by_num_entries=3 epsilon=4
    plateau=3001
LayerParameter coeff_schedule_param=148 augmentation_param=149 correlation_param=150
    l1_loss_param=151 writer_param=152 reader_param=153 mean_param=154 resample_param=155
    downsample_param=156 lpq_loss_param=158 flow_warp_param=159 accum_param=160
    black_augmentation_param=161 reshape_every_iter=157
LpqLossParameter l2_prescale_by_channels=4016 normalize_by_num_entries=4017 p_epsilon=4013
    q_epsilon=4014 pq_episode_starts_at_iter=4010 p=4011 q=4012
MeanParameter operation=1 file=2 value=3 mean_scale=4 input_scale=5 output_scale=6
RandomGeneratorParameter rand_type=1 exp=2 mean=4 spread=5 prob=6 apply_schedule=7 discretize=8
    multiplier=9
ReaderParameter file=1 num=2
ResampleParameter antialias=4 width=1 height=2 type=3 factor=5
WriterParameter file=1 folder=2 prefix=3 suffix=4 normalize=5 scale=6
""",
)

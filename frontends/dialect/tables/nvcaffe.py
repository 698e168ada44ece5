"""NVCaffe: its numbers. NVIDIA/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect
from .ssd import SSD

declare_dialect(
    "nvcaffe",
    "NVCaffe",
    """
AnnotatedDatum record_id=4
BatchNormParameter scale_filler=5 bias_filler=6 scale_bias=7 engine=15
ConvolutionParameter cudnn_convolution_algo_seeker=19 conv_algos_override=20
DataParameter threads=11 parser_threads=12 cache=13 shuffle=14 precache=16
DetectNetAugmentationParameter crop_prob=1 shift_x=2 shift_y=3 scale_prob=4 scale_min=5
    scale_max=6 flip_prob=7 rotation_prob=8 max_rotate_degree=9 hue_rotation_prob=10
    hue_rotation=11 desaturation_prob=12 desaturation_max=13 resize_param=208 noise_param=209
    distort_param=213 expand_param=214 emit_constraint=210
DetectNetGroundTruthParameter stride=1 scale_cvg=2 gridbox_type=3 max_cvg_len=4 min_cvg_len=5
    coverage_type=7 image_size_x=8 image_size_y=9 obj_norm=11 crop_bboxes=12 object_class=13
DetectNetGroundTruthParameter.ClassMapping src=1 dst=2
DropoutParameter engine=2 random_seed=3
ELUParameter lambda=2
ImageDataParameter short_side=13 threads=14 cache=15 precache=16 dataset_share_per_node=17
LayerParameter forward_type=145 backward_type=146 forward_math=147 backward_math=148 debug=149
    cudnn_math_override=150 recurrent_param=151 trt_param=152 detectnet_groundtruth_param=6801
    detectnet_augmentation_param=6802
LossParameter label_smoothing=4
MultiBoxLossParameter ignore_difficult_gt=24
NetParameter default_forward_type=11 default_backward_type=12 default_forward_math=13
    default_backward_math=14 global_grad_scale=15 global_grad_scale_adaptive=16
    default_conv_algos_override=17 reduce_buckets=18 default_cudnn_math_override=19
    eltwise_mem_sharing=20
PoolingParameter torch_pooling=40
SolverParameter eval_type=241 ap_version=242 show_per_class_result=244 rampup_interval=41
    rampup_lr=42 min_lr=43 momentum_policy=46 max_momentum=47 momentum_power=48 larc=49
    larc_policy=50 larc_eta=51 larc_turbo=55 weight_decay_policy=52 weight_decay_power=53
    max_weight_decay=56 plateau_winsize=243 solver_data_type=44 store_blobs_in_old_format=45
    test_and_snapshot_last_epochs=54
TRTParameter trt_mode=1 top_k=2 deploy=3 model=4 deploy_outputs=5 calibrator=6
TransformationParameter img_rand_resize_lower=10 img_rand_resize_upper=11
    rand_resize_ratio_lower=12 rand_resize_ratio_upper=13 vertical_stretch_lower=14
    vertical_stretch_upper=15 horizontal_stretch_lower=16 horizontal_stretch_upper=17
    interpolation_algo_down=18 interpolation_algo_up=19 allow_upscale=20 forward_packing=21
    crop_h=211 crop_w=212 use_gpu_transform=8 random_seed=9 display=22 num_labels=23
    resize_param=208 noise_param=209 distort_param=213 expand_param=214 emit_constraint=210
SolverParameter.SolverType SAG=6
""",
    extends=SSD,
)

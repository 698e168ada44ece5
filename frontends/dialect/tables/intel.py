"""Intel's Caffe: its numbers. intel/caffe."""

from __future__ import annotations

from ..dialect import declare_dialect
from .ssd import SSD

declare_dialect(
    "intel",
    "Intel's Caffe",
    """
BatchNormParameter engine=4 use_weight_bias=5 bias_term=6 filler=7 bias_filler=8
    stats_batch_size=9 relu=10
BoxAnnotatorOHEMParameter roi_per_img=1 ignore_label=2
CompileNetState is_init=1 bn_scale_remove=2 bn_scale_merge=3 kept_bn_layers=4
    negative_conv_names=5 negative_conv_indexes=6
ConcatParameter per_fla_fuse=4 engine=3
ConvolutionParameter relu=19 negative_slope=20 conv_algorithm=21 coeff=23 fusion_type=24
DataParameter shuffle=11 side=12
EltwiseParameter engine=4
EvalDetectionParameter side=1 num_class=2 num_object=3 threshold=4 sqrt=5 constriant=6
    score_type=7 nms=8 biases=9
FillerParameter scale=9
ImageDataParameter min_height=13 min_width=14
InnerProductParameter engine=7 relu=8 negative_slope=9
LayerParameter box_annotator_ohem_param=152 psroi_pooling_param=153 roi_pooling_param=154
    smooth_l1_loss_param=148 split_param=208 spatial_dropout_param=155 engine=149 multinode=150
    mn_activation_param=151 mn_grad_compress_param=156 quantization_param=158 reorg_param=159
    region_loss_param=209 eval_detection_param=301
LossParameter pre_fixed_normalizer=4 label_smoothing=5
MnActivationParameter num_nodes_in=1 num_nodes_out=2 model_parts_in=3 model_parts_out=4
    need_reduce=5
MnModelParallelParameter layer_from=1 layer_to=2 num_nodes=3 model_parts=4
MnParamGradCompressLayerTypeList layer_type=1
MnParamGradCompressParameter param_grad_compress_enable=1
MultinodeLayerParameter num_nodes=1 model_parts=2
MultinodeParameter model_parallel=1 compress_layer_type_list=2
NetParameter compile_net_state=10 engine=9 bn_stats_batch_size=11 multinode=101
PSROIPoolingParameter spatial_scale=1 output_dim=2 group_size=3
PoolingParameter pad_3d=15 kernel_size_3d=16 stride_3d=17 avg_include_pad=13 axis=14
QuantizationParameter precision=1 rounding_scheme=2 bw_layer_in=3 bw_layer_out=4 bw_params=5
    fl_layer_in=6 fl_layer_out=7 fl_params=8 scale_in=20 scale_out=21 scale_params=22
    is_negative_input=23 force_u8_input=24
ROIPoolingParameter pooled_h=1 pooled_w=2 spatial_scale=3 pooled_size=4
RandomAspectRatioParameter min_area_ratio=1 max_area_ratio=2 aspect_ratio_change=3 max_attempt=4
    resize_param=5
RandomResizeParameter min_size=1 max_size=2 resize_param=3
ReLUParameter fuse=3
RegionLossParameter side=1 num_class=2 bias_match=3 coords=4 num=5 softmax=6 jitter=7 rescore=8
    object_scale=9 class_scale=10 noobject_scale=11 coord_scale=12 absolute=13 thresh=14
    random=15 biases=16 softmax_tree=17 class_map=18
ReorgParameter stride=1 reverse=2
ReshapeParameter pixelshuffler=4
SmoothL1LossParameter sigma=1
SolverParameter show_per_class_result=43 plateau_winsize=44 stagelr=150 stageiter=151
    disabled_update=46 engine=47 warmup_iter=48 warmup_start_lr=49 local_lr_auto=50
    local_gw_ratio=51 test_offset=52
SpatialDropoutParameter dropout_ratio=1
SplitParameter engine=1
TransformationParameter random_resize_param=15 random_aspect_ratio_param=16 flow=17 bgr2rgb=18
    pad=19
ConvolutionParameter.Engine MKL2017=3 MKLDNN=4
LRNParameter.Engine MKL2017=3 MKLDNN=4
LossParameter.NormalizationMode PRE_FIXED=3 NONE=4
PoolingParameter.Engine MKL2017=3 MKLDNN=4
ReLUParameter.Engine MKL2017=3 MKLDNN=4
""",
    extends=SSD,
)

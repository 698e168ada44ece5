"""MyCaffe (MyCaffe/MyCaffe): MyCaffe/param*/*.cs.

Its many layers of its own are known by name, so that a net with them can be read and drawn; what
stands in their blocks is taken as it is.
"""

from __future__ import annotations

from ..registry import declare_enum, declare_message, extend_enum, extend_message
from ..types import enum, optional, repeated

#: Blocks of layers that only MyCaffe has.
_BLOCKS = [
    "accuracy_mape",
    "constant",
    "convolution_octave",
    "gradient_scale",
    "linear",
    "labelmapping",
    "mean_error_loss",
    "merge",
    "mish",
    "normalization",
    "pairwise_loss",
    "serf",
    "model_data",
    "spatial_attention",
    "text_data",
    "transpose",
    "z_score",
    "causal_self_attention",
    "multihead_attention",
    "positional_encoder",
    "gelu",
    "rms_norm",
    "transformer_block",
    "tokenized_data",
    "tokenized_data_pairs",
    "pretokenized_data",
    "nll_loss",
    "data_temporal",
    "categorical_trans",
    "numeric_trans",
    "gateaddnorm",
    "glu",
    "grn",
    "varselnet",
    "multihead_attention_interp",
    "reshape_temporal",
    "quantile_loss",
    "quantile_accuracy",
    "sharpe_accuracy",
    "sharpe_loss",
    "revin",
    "fc",
    "nhits_block",
    "nhits_stack",
    "cfc",
    "cfc_unit",
    "ltc_unit",
    "gram",
    "onehot",
    "scalar",
    "tv_loss",
]

extend_enum("Phase", "RUN")
extend_enum("AnnotatedDatum.AnnotationType", NONE=-1)
declare_enum(enum("LabelValues", NONE=0, SINGLE=1, MULTIPLE=2, ONLY_ONE=3))
declare_message("OptionalParameter", optional("bool", "active", default=True))
for _name in _BLOCKS:
    extend_message("LayerParameter", optional("FreeBlock", f"{_name}_param"))
for _name in (
    "DistortionParameter",
    "EmitConstraint",
    "ExpansionParameter",
    "NoiseParameter",
    "NonMaximumSuppressionParameter",
    "ResizeParameter",
    "SaltPepperParameter",
    "SaveOutputParameter",
):
    extend_message(
        _name,
        optional("OptionalParameter", "option"),
        optional("bool", "active", default=True),
    )
extend_message(
    "AccuracyParameter",
    optional("bool", "enable_simple_accuracy", default=False),
    optional("bool", "enable_last_element_only", default=False),
    repeated("int32", "ignore_labels"),
)
extend_message(
    "ContrastiveLossParameter",
    enum("CentroidLearning", NONE=0, MATCHING=1, NONMATCHING=2, ALL=3),
    enum("DistanceCalculation", EUCLIDEAN=0, MANHATTAN=1),
    optional("bool", "output_matches", default=False),
    optional("CentroidLearning", "centroid_learning", default="NONE"),
    optional("DistanceCalculation", "distance_calculation", default="EUCLIDEAN"),
    optional("double", "matching_distance_scale", default=1.0),
)
extend_message(
    "ConvolutionParameter",
    optional("uint32", "cudnn_workspace_limit", execution_only=True),
    optional("bool", "cudnn_worspace_allow_on_groups", execution_only=True),
    optional("bool", "cudnn_enable_tensor_cores", execution_only=True),
)
extend_message(
    "DataParameter",
    optional("bool", "enable_random_selection"),
    optional("bool", "enable_pair_selection"),
    optional("bool", "display_timing", execution_only=True),
    optional("LabelValues", "label_type", default="SINGLE"),
    optional("bool", "primary_data", execution_only=True),
    optional("string", "synchronize_with"),
    optional("bool", "synchronize_target", default=False),
    optional("int32", "images_per_blob", default=1),
    optional("bool", "output_all_labels", default=False),
    optional("bool", "balance_matches", default=True),
    optional("bool", "output_image_information", default=False),
    optional("bool", "enable_noise_for_nonmatch", default=False),
    optional("FreeBlock", "data_noise_param"),
    optional("bool", "enable_debug_output", default=False, execution_only=True),
    optional("FreeBlock", "data_debug_param", execution_only=True),
    optional("int32", "forced_primary_label", default=-1),
    optional("int32", "one_hot_label_size", default=0),
    optional("FreeBlock", "score_norm_param"),
    optional("bool", "time_align", default=False),
    optional("bool", "output_image_index", default=False),
)
extend_enum("DataParameter.DB", "IMAGEDB")
extend_message(
    "DistortionParameter",
    optional("bool", "use_gpu", execution_only=True),
    optional("int64", "random_seed", default=0),
)
extend_message(
    "DropoutParameter",
    optional("int64", "seed", default=0),
    optional("bool", "active", default=True),
)
extend_message(
    "DummyDataParameter",
    optional("bool", "primary_data", execution_only=True),
    optional("bool", "force_refill", default=True, execution_only=True),
)
extend_message(
    "EltwiseParameter",
    optional("bool", "coeff_blob", default=False),
    optional("bool", "allow_single_batch_input", default=False),
)
extend_message(
    "InnerProductParameter",
    optional("bool", "output_contains_predictions", execution_only=True),
    optional("int32", "min_top_axes", default=-1),
    optional("bool", "enable_noise", default=False),
    optional("double", "sigma_init", default=0.017),
    optional("double", "bias_grad_scale", default=1.0),
)
extend_message(
    "LayerParameter",
    optional("FreeBlock", "weight_adapter"),
    repeated("FreeBlock", "max_bottom_count"),
    optional("MultiBoxLossParameter", "multiboxloss_param"),
    optional("bool", "group_start", execution_only=True),
    optional("bool", "freeze_learning", default=False),
    optional("bool", "connect_loss_event", execution_only=True),
    optional("bool", "use_halfsize", execution_only=True),
)
declare_message(
    "LayerNormParameter",
    optional("double", "epsilon", default=1e-10),
    optional("bool", "enable_cuda_impl", execution_only=True),
)
extend_message("LossParameter", optional("double", "loss_scale", default=1.0))
extend_message(
    "MemoryDataParameter",
    optional("LabelValues", "label_type", default="SINGLE"),
    optional("uint32", "label_channels", default=0),
    optional("uint32", "label_height", default=0),
    optional("uint32", "label_width", default=0),
    optional("bool", "primary_data", execution_only=True),
    optional("uint32", "clip_length1", default=0),
    optional("uint32", "clip_length2", default=0),
)
extend_message("MultiBoxLossParameter", optional("bool", "use_gpu", execution_only=True))
extend_message(
    "NetParameter",
    enum("ModelType", CAFFE=0, LLAMA=1),
    optional("bool", "enable_memory_stats", execution_only=True),
    optional("bool", "enable_lora", default=False),
    optional("bool", "enable_lora_only", default=False),
    optional("ModelType", "model_type", default="CAFFE", execution_only=True),
    optional("string", "base_weight_file"),
    optional("string", "base_tokenizer_file"),
)
extend_message(
    "PoolingParameter",
    enum("ReshapeAlgorithm", DEFAULT=0, CAFFE=1, ONNX=2),
    optional("ReshapeAlgorithm", "reshape_algorithm", default="DEFAULT"),
)
extend_message("PythonParameter", optional("string", "python_path", execution_only=True))
extend_message(
    "RecurrentParameter",
    optional("ForkEngine", "engine", default="DEFAULT"),
    optional("bool", "expose_hidden_input", default=False),
    optional("bool", "expose_hidden_output", default=False),
    optional("double", "dropout_ratio", default=0.0),
    optional("int64", "dropout_seed", default=0, execution_only=True),
    optional("uint32", "num_layers", default=1),
    optional("bool", "bidirectional", default=False),
    optional("bool", "cudnn_enable_tensor_cores", execution_only=True),
    optional("bool", "batch_first", default=False),
    optional("bool", "auto_repeat_hidden_states_across_layers", default=False),
    optional("bool", "use_cudnn_rnn8_if_supported", execution_only=True),
)
extend_message(
    "SoftmaxParameter",
    enum("Algorithm", DEFAULT=0, FAST=1, ACCURATE=2, LOG=3),
    optional("Algorithm", "algorithm", default="DEFAULT"),
    optional("Algorithm", "algorithm_train", default="DEFAULT"),
)
extend_message(
    "SolverParameter",
    optional("bool", "enable_clip_gradient_status", execution_only=True),
    optional("double", "adamw_decay", default=0.1),
    optional("int32", "lbgfs_corrections", default=100),
    optional("string", "custom_trainer", execution_only=True),
    optional("string", "custom_trainer_properties", execution_only=True),
    optional("bool", "output_average_results", execution_only=True),
    optional("bool", "snapshot_include_weights", default=True),
    optional("bool", "snapshot_include_state", default=True),
    optional("int32", "accuracy_average_window", default=0, execution_only=True),
    optional("int32", "verbose_optimization_output", execution_only=True),
    optional("bool", "use_test_net_for_running", execution_only=True),
    optional("bool", "use_training_net_for_testing", execution_only=True),
)
extend_message(
    "TransformationParameter",
    enum("ColorOrder", RGB=0, BGR=1),
    enum("ScaleOperator", NONE=0, MUL=1, POW=2),
    optional("ScaleOperator", "scale_operator", default="MUL"),
    optional("bool", "use_image_mean", default=False),
    optional("bool", "use_imagedb_mean", default=False),
    optional("double", "force_positive_range_max", default=0.0),
    optional("double", "forced_positive_range_max", default=0.0),
    optional("ColorOrder", "color_order"),
    optional("DistortionParameter", "distortion_param"),
    optional("ExpansionParameter", "expansion_param"),
    optional("FreeBlock", "mask_param"),
    optional("FreeBlock", "label_mapping"),
)

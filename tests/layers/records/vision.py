"""Records of convolution, inner product, pooling and the normalizations of images."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


def _case(kind: str, name: str, body: str, phase: str = "TRAIN", **inputs) -> LayerCase:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" top: "y" {body} }}'
    return LayerCase(kind, name, net_text(layer, **(inputs or {"x": (2, 3, 7, 5)})), phase)


def _conv(name: str, body: str, kind: str = "Convolution", **inputs) -> LayerCase:
    return _case(kind, name, f"convolution_param {{ {body} }}", **inputs)


def _pool(name: str, body: str, phase: str = "TRAIN", **inputs) -> LayerCase:
    return _case("Pooling", f"pooling_{name}", f"pooling_param {{ {body} }}", phase, **inputs)


def _positive(*shape: int):
    return lambda rng: rng.uniform(0.1, 2.0, shape)


def _spread(*shape: int):
    """Numbers far enough apart for finite differences to leave maxima where they are."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) * 0.03


_MASK = 'layer { name: "l" type: "Pooling" bottom: "x" top: "y" top: "m" pooling_param { %s } }'

FIXES = {
    "Convolution": "has as many weights as axis 2 has channels, where `axis` says so",
    "InnerProduct": "has as many weights as there are features",
    "Pooling": "pads by what the stride leaves of the image, where `pad_type` says so",
    "SPP": "has windows that follow from the image",
    "SparseInnerProduct": "has as many weights as there are features",
}

CASES = [
    _conv("convolution", "num_output: 4 kernel_size: 3"),
    _conv("convolution_pad_stride", "num_output: 5 kernel_size: 3 pad: 1 stride: 2"),
    _conv("convolution_pointwise", "num_output: 4 kernel_size: 1 bias_term: false"),
    _conv(
        "convolution_rectangle",
        "num_output: 2 kernel_h: 1 kernel_w: 4 stride_h: 3 stride_w: 1 pad_h: 0 pad_w: 2",
    ),
    _conv(
        "convolution_group_dilation",
        "num_output: 4 kernel_size: 2 group: 2 dilation: 2 pad: 1",
        x=(2, 6, 7, 5),
    ),
    _conv("convolution_depthwise", "num_output: 3 kernel_size: 3 group: 3 pad: 1"),
    _conv("convolution_1d", "num_output: 2 kernel_size: 3 stride: 2", x=(2, 3, 9)),
    _conv(
        "convolution_3d",
        "num_output: 2 kernel_size: 2 kernel_size: 3 kernel_size: 1 pad: 1 pad: 0 pad: 0",
        x=(1, 2, 3, 5, 3),
    ),
    _conv("convolution_axis_2", "num_output: 2 kernel_size: 3 axis: 2", x=(2, 3, 2, 5, 5)),
    _conv("convolution_no_space", "num_output: 4 kernel_size: 1", x=(3, 5)),
    LayerCase(
        "Convolution",
        "convolution_two_bottoms",
        net_text(
            'layer { name: "l" type: "Convolution" bottom: "x" bottom: "z" top: "y" top: "w" '
            "convolution_param { num_output: 2 kernel_size: 3 pad: 1 } }",
            x=(2, 3, 5, 4),
            z=(2, 3, 5, 4),
        ),
    ),
    _case("InnerProduct", "inner_product", "inner_product_param { num_output: 5 }"),
    _case("SparseInnerProduct", "sparse_inner_product", "inner_product_param { num_output: 5 }"),
    _case(
        "InnerProduct",
        "inner_product_axes",
        "inner_product_param { num_output: 5 min_top_axes: 4 }",
    ),
    _case(
        "InnerProduct",
        "inner_product_transposed",
        "inner_product_param { num_output: 5 transpose: true axis: 2 bias_term: false }",
    ),
    _conv("deconvolution", "num_output: 2 kernel_size: 4 stride: 2 pad: 1", "Deconvolution"),
    _conv(
        "deconvolution_no_bias", "num_output: 4 kernel_size: 3 bias_term: false", "Deconvolution"
    ),
    _conv(
        "deconvolution_group_dilation",
        "num_output: 6 kernel_size: 3 dilation: 2 group: 3 stride: 3",
        "Deconvolution",
        x=(2, 3, 3, 2),
    ),
    _conv(
        "deconvolution_1d", "num_output: 2 kernel_size: 5 stride: 4", "Deconvolution", x=(2, 3, 3)
    ),
    _conv("im2col", "kernel_size: 3 stride: 2 pad: 1", "Im2col"),
    _conv("im2col_dilation", "kernel_h: 2 kernel_w: 3 dilation: 2", "Im2col"),
    _conv("im2col_1d", "kernel_size: 3", "Im2col", x=(2, 3, 7)),
    _pool("max", "kernel_size: 3 stride: 2"),
    _pool("max_pad", "kernel_size: 3 stride: 2 pad: 1"),
    _pool("max_floor", "kernel_size: 2 stride: 2 round_mode: FLOOR"),
    _pool("max_fork_floor", "kernel_size: 2 stride: 2 ceil_mode: false"),
    _pool("max_rectangle", "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 3 pad_h: 1 pad_w: 2"),
    _pool("max_gaps", "kernel_size: 2 stride: 3"),
    LayerCase(
        "Pooling",
        "pooling_empty_windows",  # -FLT_MAX there: too large for differences
        net_text(
            'layer { name: "l" type: "Pooling" bottom: "x" top: "y" '
            "pooling_param { kernel_size: 1 stride: 3 } }",
            x=(2, 3, 6, 5),
        ),
        checks_gradient=False,
    ),
    _pool("max_global", "global_pooling: true"),
    LayerCase("Pooling", "pooling_max_mask", net_text(_MASK % "kernel_size: 2", x=(2, 3, 5, 4))),
    LayerCase(
        "Pooling",
        "pooling_max_global_mask",
        net_text(_MASK % "global_pooling: true", x=(2, 3, 5, 4)),
    ),
    _pool("ave", "pool: AVE kernel_size: 3 stride: 2"),
    _pool("ave_overhang", "pool: AVE kernel_size: 3 stride: 2 pad: 1", x=(2, 2, 6, 8)),
    _pool("ave_floor", "pool: AVE kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR"),
    _pool("ave_dense", "pool: AVE kernel_size: 3 pad: 1"),
    _pool("ave_gaps", "pool: AVE kernel_size: 1 stride: 3", x=(1, 2, 6, 5)),
    _pool("ave_global", "pool: AVE global_pooling: true"),
    LayerCase(
        "Pooling",
        "pooling_stochastic_train",
        net_text(
            'layer { name: "l" type: "Pooling" bottom: "x" top: "y" '
            "pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 } }",
            x=(2, 3, 6, 5),
        ),
        "TRAIN",
        {"x": _positive(2, 3, 6, 5)},
        checks_gradient=False,
    ),
    LayerCase(
        "Pooling",
        "pooling_stochastic_test",
        net_text(
            'layer { name: "l" type: "Pooling" bottom: "x" top: "y" '
            "pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 } }",
            x=(2, 3, 6, 5),
        ),
        "TEST",
        {"x": _positive(2, 3, 6, 5)},
    ),
    _case(
        "Pooling",
        "pooling_average_uneven",
        "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad_l: 0 pad_r: 2 pad_t: 1 pad_b: 0 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Pooling",
        "pooling_max_uneven",
        "pooling_param { kernel_size: 3 stride: 2 pad_r: 1 pad_b: 1 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Pooling",
        "pooling_average_without_padding",
        "pooling_param { pool: AVE_EXC_PAD kernel_size: 3 stride: 2 pad: 1 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Pooling",
        "pooling_average_same",
        "pooling_param { pool: AVE_TF kernel_size: 3 stride: 2 pad_type: 1 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Convolution",
        "convolution_uneven",
        "convolution_param { num_output: 4 kernel_size: 3 stride: 2 group: 2 "
        "pad_l: 0 pad_r: 1 pad_t: 1 pad_b: 2 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Convolution",
        "convolution_same",
        "convolution_param { num_output: 3 kernel_size: 3 stride: 2 pad_type: 1 }",
        x=(2, 2, 6, 7),
    ),
    _case(
        "Deconvolution",
        "deconvolution_uneven",
        "convolution_param { num_output: 3 kernel_size: 3 stride: 2 "
        "pad_l: 0 pad_r: 1 pad_t: 2 pad_b: 1 }",
        x=(2, 2, 3, 4),
    ),
    _case("SPP", "spp", "spp_param { pyramid_height: 3 }", x=(2, 2, 9, 10)),
    _case("SPP", "spp_average", "spp_param { pyramid_height: 2 pool: AVE }", x=(2, 2, 5, 6)),
    _case("SPP", "spp_one_level", "spp_param { pyramid_height: 1 }"),
    _case(
        "LRN", "lrn_across", "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 k: 2 }", x=(2, 7, 3, 2)
    ),
    _case("LRN", "lrn_across_wide", "lrn_param { local_size: 9 alpha: 2 }"),
    _case(
        "LRN",
        "lrn_within",
        "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 k: 5 norm_region: WITHIN_CHANNEL }",
    ),
    _case("BatchNorm", "batch_norm_train", ""),
    _case(
        "BatchNorm",
        "batch_norm_train_options",
        "batch_norm_param { eps: 0.1 moving_average_fraction: 0.5 }",
        x=(3, 2, 5),
    ),
    _case("BatchNorm", "batch_norm_flat", "", x=(7, 3)),
    _case("BatchNorm", "batch_norm_vector", "", x=(7,)),
    LayerCase(
        "BatchNorm",
        "batch_norm_test",
        net_text('layer { name: "l" type: "BatchNorm" bottom: "x" top: "y" }', x=(2, 3, 5, 4)),
        "TEST",
        {"l/1": _positive(3), "l/2": lambda rng: np.array([2.5])},
    ),
    LayerCase(
        "BatchNorm",
        "batch_norm_untrained",
        net_text('layer { name: "l" type: "BatchNorm" bottom: "x" top: "y" }', x=(2, 3, 5, 4)),
        "TEST",
        {f"l/{i}": (lambda rng, n=n: np.zeros(n)) for i, n in enumerate((3, 3, 1))},
    ),
    _case("BatchNorm", "batch_norm_scale_bias", "batch_norm_param { scale_bias: true }"),
    _case("BatchNorm", "batch_norm_no_shift", "batch_norm_param { filler { } bias_term: false }"),
    _case(
        "BatchNorm",
        "batch_norm_eps_outside",
        "batch_norm_param { add_eps_before_sqrt: false eps: 0.1 }",
    ),
    _case("MVN", "mvn", ""),
    _case("MVN", "mvn_mean_only", "mvn_param { normalize_variance: false }"),
    _case("MVN", "mvn_across", "mvn_param { across_channels: true }"),
    _case("Pooling", "pooling_max_overlapping", "pooling_param { kernel_size: 3 }"),
]
CASES = [
    LayerCase(
        c.layer_type, c.name, c.prototxt, c.phase, {"x": _spread(2, 3, 7, 5)}, c.checks_gradient
    )
    if c.inputs is None and c.name.startswith("pooling_max") and "dim: 7 dim: 5" in c.prototxt
    else c
    for c in CASES
]

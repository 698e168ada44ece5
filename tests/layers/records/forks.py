"""Records of the layers that only forks of Caffe have."""

from __future__ import annotations

from tests.support.layer_cases import LayerCase, net_text


def _case(
    kind: str, name: str, body: str = "", checks_gradient: bool = True, **inputs: tuple[int, ...]
) -> LayerCase:
    shapes = inputs or {"x": (2, 3, 5, 4)}
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {body} }}'
    return LayerCase(kind, name, net_text(layer, **shapes), checks_gradient=checks_gradient)


FIXES = {
    "Interp": "does nothing where the size is that of the top",
    "Upsample": "looks for elements near them where a size of the top that is given allows it",
}

CASES = [
    _case("Permute", "permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
    _case("Permute", "permute_some", "permute_param { order: 2 }"),
    _case("Permute", "permute_none"),
    _case("Normalize", "normalize"),
    _case(
        "Normalize",
        "normalize_channels",
        "norm_param { across_spatial: false channel_shared: false eps: 0.01 }",
        checks_gradient=False,  # the scales are left out of an inner product
    ),
    _case("Normalize", "normalize_flat", "norm_param { across_spatial: false }", x=(5, 3)),
    _case("ReLU6", "relu6"),
    _case("ReLU6", "relu6_leaky", "relu_param { negative_slope: 0.2 }"),
    _case("Axpy", "axpy", a=(2, 3, 1, 1), x=(2, 3, 5, 4), z=(2, 3, 5, 4)),
    _case("Axpy", "axpy_flat", a=(2, 3), x=(2, 3, 5), z=(2, 3, 5)),
    _case(
        "ShuffleChannel", "shuffle_channel", "shuffle_channel_param { group: 3 }", x=(2, 6, 5, 3)
    ),
    _case(
        "DepthwiseConvolution",
        "depthwise_convolution",
        "convolution_param { num_output: 6 kernel_size: 3 pad: 1 }",
    ),
    _case(
        "DepthwiseConvolution",
        "depthwise_convolution_group",
        "convolution_param { num_output: 3 group: 3 kernel_size: 3 stride: 2 bias_term: false }",
    ),
    _case(
        "DepthwiseConvolution",
        "depthwise_convolution_two_each",
        "convolution_param { num_output: 6 group: 3 kernel_size: 3 pad: 1 }",
    ),
    _case(
        "ConvolutionDepthwise",
        "convolution_depthwise_layer",
        "convolution_param { kernel_h: 3 kernel_w: 2 pad: 1 }",
    ),
    _case("Interp", "interp_size", "interp_param { height: 9 width: 3 }"),
    _case("Interp", "interp_zoom", "interp_param { zoom_factor: 3 }"),
    _case("Interp", "interp_shrink", "interp_param { shrink_factor: 2 pad_beg: -1 }"),
    _case("Interp", "interp_both", "interp_param { shrink_factor: 2 zoom_factor: 4 }"),
    _case("Interp", "interp_like", x=(2, 3, 5, 4), like=(1, 1, 7, 1)),
    _case("Interp", "interp_same", "interp_param { height: 5 width: 4 }"),
    *(
        LayerCase(
            "Upsample",
            f"upsample_{name}",
            net_text(
                'layer { name: "pool" type: "Pooling" bottom: "x" top: "p" top: "m" '
                "pooling_param { kernel_size: 2 stride: 2 } } "
                'layer { name: "l" type: "Upsample" bottom: "p" bottom: "m" top: "y" '
                f"upsample_param {{ {parameters} }} }}",
                x=(2, 3, height, width),
            ),
        )
        for name, parameters, height, width in (
            ("even", "scale: 2", 6, 4),
            ("odd", "scale: 2 upsample_h: 5 upsample_w: 7", 5, 7),
            ("padded", "scale: 2 pad_out_h: true", 5, 6),
        )
    ),
]

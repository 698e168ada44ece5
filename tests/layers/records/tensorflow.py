"""Records of layers of Synopsys', jolibrain's, happynear's and yjxiong's Caffe."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


def _one(kind: str, name: str, body: str = "", **inputs: tuple[int, ...]) -> LayerCase:
    shapes = inputs or {"x": (2, 3, 5, 4)}
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {body} }}'
    return LayerCase(kind, name, net_text(layer, **shapes))


FIXES = {
    "Add": "broadcasts what has one element",
    "InnerDistance": "has as many weights as there are features",
    "Mul": "broadcasts what has one element",
    "ResizeBilinear": "has a matrix of weights that follows from the size",
    "ResizeNearestNeighbor": "has a matrix of weights that follows from the size",
}

CASES = [
    _one("Flip", "flip_both", "flip_param { flip_height: true flip_width: true }"),
    _one("ChannelScale", "channel_scale", x=(2, 3, 5, 4), s=(2, 1, 5, 4)),
    _one("Gather", "gather_process"),
    _one("Scatter", "scatter_process"),
    LayerCase(
        "SeLuDropout",
        "selu_dropout",
        net_text('layer { name: "l" type: "SeLuDropout" bottom: "x" top: "y" }', x=(3, 50)),
        checks_gradient=False,
    ),
    _one(
        "InnerDistance",
        "inner_distance",
        'inner_distance_param { num_output: 4 weight_filler { type: "gaussian" std: 1 } }',
    ),
    _one(
        "InnerDistance",
        "inner_distance_l1",
        'inner_distance_param { distance_type: "L1" axis: 2 }',
        x=(2, 3, 5),
        w=(4, 5),
    ),
    LayerCase(
        "InnerDistance",
        "inner_distance_labels",
        net_text(
            'layer { name: "l" type: "InnerDistance" bottom: "x" bottom: "w" bottom: "t" top: "y" '
            "inner_distance_param { update_center_only: true } }",
            x=(3, 5),
            w=(4, 5),
            t=(3,),
        ),
        inputs={"t": lambda rng: rng.integers(0, 4, 3).astype(np.float64)},
        checks_gradient=False,  # of centers that are others'
    ),
    LayerCase(
        "InnerDistance",
        "inner_distance_scaled",
        net_text(
            'layer { name: "l" type: "InnerDistance" bottom: "x" top: "y" inner_distance_param { '
            'num_output: 4 normalize: true weight_filler { type: "gaussian" std: 1 } } }',
            x=(3, 5),
        ),
        checks_gradient=False,  # scaling has none
    ),
    _one("ICNetSubgraph", "icnet_subgraph", x=(1, 2, 35, 70)),
    _one("Squeeze", "squeeze", x=(2, 1, 3, 1)),
    _one("Squeeze", "squeeze_axes", "squeeze_param { axis: -1 }", x=(2, 1, 3, 1)),
    _one(
        "Pad",
        "pad_constant",
        "pad_param { paddings: 0 paddings: 1 paddings: 2 paddings: 0 constant_values: 3 }",
        x=(3, 5),
    ),
    *(
        _one(
            "DepthToSpace",
            f"depth_to_space_{name}",
            f'depth_to_space_param {{ block_size: 2 data_format: "{name}" }}',
            x=shape,
        )
        for name, shape in (
            ("NHWC", (2, 3, 2, 8)),
            ("NCHW", (2, 8, 3, 2)),
            ("CRD", (2, 8, 3, 2)),
        )
    ),
    _one(
        "SpaceToDepth", "space_to_depth", "space_to_depth_param { block_size: 2 }", x=(1, 4, 6, 3)
    ),
    _one(
        "SpaceToDepth",
        "space_to_depth_NCHW",
        'space_to_depth_param { block_size: 2 data_format: "NCHW" }',
        x=(1, 3, 4, 6),
    ),
    _one("HardSwish", "hard_swish"),
    _one("SeLu", "selu"),
    _one(
        "SpaceToBatchND",
        "space_to_batch",
        "space_to_batch_nd_param { block_shape: 2 block_shape: 3 "
        "paddings: 1 paddings: 0 paddings: 0 paddings: 2 }",
        x=(2, 5, 4, 3),
    ),
    _one(
        "BatchToSpaceND",
        "batch_to_space",
        "batch_to_space_nd_param { block_shape: 2 block_shape: 3 "
        "crops: 1 crops: 0 crops: 0 crops: 2 }",
        x=(12, 3, 2, 3),
    ),
    _one("Mul", "mul_broadcast", x=(2, 3, 1, 5), z=(2, 1, 4, 1)),
    _one("Mul", "mul_learned", "mul_param { mul_shape: 3 mul_shape: 1 mul_shape: 1 }"),
    _one("Add", "add_broadcast", x=(3, 4), z=(2, 1, 4)),
    _one("UpsampleDarknet", "upsample_darknet", "upsample_darknet_param { stride: 2 }"),
    *(
        _one(
            "ResizeBilinear",
            f"resize_bilinear_{i}",
            f'resize_bilinear_param {{ data_format: "NCHW" {body} }}',
        )
        for i, body in enumerate(
            (
                "output_height: 7 output_width: 3",
                "output_height: 7 output_width: 9 align_corners: true",
                "scale_height: 2 scale_width: 1.5 half_pixel_centers: true",
                "output_height: 1 output_width: 3 pytorch_half_pixel: true",
            )
        )
    ),
    _one(
        "ResizeBilinear",
        "resize_bilinear_channels_last",
        "resize_bilinear_param { output_height: 4 output_width: 6 }",
    ),
    *(
        _one(
            "ResizeNearestNeighbor",
            f"resize_nearest_{i}",
            f'resize_nearest_neighbor_param {{ data_format: "NCHW" {body} }}',
        )
        for i, body in enumerate(
            (
                "scale_height: 2 scale_width: 2",
                "output_height: 3 output_width: 7 align_corners: true",
                "output_height: 3 output_width: 7 half_pixel_centers: true",
                "output_height: 3 output_width: 7 half_pixel_onnx: true",
            )
        )
    ),
]

"""What a layer refuses: the message, the field it points at, and the layer's name."""

from __future__ import annotations

import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from tests.support.layer_cases import net_text

IMAGE = {"x": (2, 3, 8, 8)}

# layer type, its parameters, inputs, the message (part), the text at the place it points to
CASES = [
    ("Convolution", "convolution_param { num_output: 2 }", IMAGE, "kernel_size is missing", "conv"),
    ("Convolution", "convolution_param { kernel_size: 3 }", IMAGE, "num_output is missing", "conv"),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 3 kernel_h: 3 kernel_w: 3 }",
        IMAGE,
        "both kernel_size and kernel_h are given",
        "kernel_h: 3",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 1 kernel_size: 2 kernel_size: 3 }",
        IMAGE,
        "kernel_size is given 3 times for 2 spatial axes",
        "kernel_size: 1",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_h: 3 kernel_w: 3 }",
        {"x": (2, 3, 8)},
        "are for 2 spatial axes, the bottom has 1",
        "kernel_h: 3",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_h: 3 }",
        IMAGE,
        "kernel_w is 0",
        "kernel_h: 3",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 3 stride: 0 }",
        IMAGE,
        "stride is 0",
        "stride: 0",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 1 group: 2 }",
        IMAGE,
        "3 input channels do not divide into 2 groups",
        "group: 2",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 1 group: 3 }",
        IMAGE,
        "num_output 4 does not divide into 3 groups",
        "group: 3",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 1 group: 0 }",
        IMAGE,
        "group is 0",
        "group: 0",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 3 dilation: 4 }",
        IMAGE,
        "the window [9, 9] is larger than the padded input [8, 8]",
        "kernel_size: 3",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 3 axis: 4 }",
        IMAGE,
        "axis 4 is out of range",
        "axis: 4",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_size: 3 relu: true }",
        IMAGE,
        "`relu` is a field of another fork's Convolution layer",
        "relu: true",
    ),
    (
        "Deconvolution",
        "convolution_param { num_output: 2 kernel_size: 2 pad: 9 }",
        IMAGE,
        "leaves nothing of the output",
        "pad: 9",
    ),
    ("Im2col", "convolution_param { kernel_size: 9 }", IMAGE, "larger than the padded", "kernel"),
    ("Pooling", "pooling_param { stride: 2 }", IMAGE, "kernel_size is missing", "pooling_param"),
    (
        "Pooling",
        "pooling_param { kernel_size: 3 kernel_h: 2 }",
        IMAGE,
        "both kernel_size and kernel_h are given",
        "kernel_h: 2",
    ),
    (
        "Pooling",
        "pooling_param { kernel_h: 2 }",
        IMAGE,
        "kernel_h is given without the other",
        "kernel_h: 2",
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 stride_w: 2 }",
        IMAGE,
        "stride_w is given without the other",
        "stride_w: 2",
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 pad: 2 }",
        IMAGE,
        "pad 2x2 is not smaller than the kernel 2x2",
        "pad: 2",
    ),
    ("Pooling", "pooling_param { kernel_size: 0 }", IMAGE, "the kernel is 0x0", "kernel_size: 0"),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 stride: 0 }",
        IMAGE,
        "the stride is 0",
        "stride: 0",
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 11 stride: 2 }",
        IMAGE,
        "the kernel 11x11 is larger than the padded input 8x8",
        "kernel_size: 11",
    ),
    (
        "Pooling",
        "pooling_param { global_pooling: true kernel_size: 8 }",
        IMAGE,
        "global_pooling is true and a kernel is given",
        "kernel_size: 8",
    ),
    (
        "Pooling",
        "pooling_param { global_pooling: true stride: 2 }",
        IMAGE,
        "global pooling takes stride 1 only",
        "stride: 2",
    ),
    (
        "Pooling",
        "pooling_param { pool: STOCHASTIC kernel_size: 3 pad: 1 }",
        IMAGE,
        "stochastic pooling takes no padding",
        "pad: 1",
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 }",
        {"x": (2, 3, 8)},
        "takes 4 axes",
        'bottom: "x"',
    ),
    (
        "Pooling",
        'top: "m" pooling_param { pool: AVE kernel_size: 2 }',
        IMAGE,
        "a second top (places of the maxima) is for MAX pooling",
        'top: "m"',
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 avg_include_pad: false }",
        IMAGE,
        "`avg_include_pad` is a field of another fork's",
        "avg_include_pad",
    ),
    ("SPP", "", IMAGE, "pyramid_height is missing or 0", "layer"),
    (
        "SPP",
        "spp_param { pyramid_height: 4000000000 }",
        IMAGE,
        "an image of 8x8 does not divide into 16x16 bins",
        "pyramid_height",
    ),
    ("LRN", "lrn_param { local_size: 4 }", IMAGE, "local_size 4 is even", "local_size: 4"),
    ("LRN", "", {"x": (2, 3)}, "LRN takes 4 axes", 'bottom: "x"'),
    (
        "BatchNorm",
        "param { } param { lr_mult: 1 }",
        IMAGE,
        "blob 1 of a BatchNorm layer is a statistic",
        "lr_mult: 1",
    ),
    (
        "BatchNorm",
        "batch_norm_param { scale_bias: true }",
        IMAGE,
        "`scale_bias` is a field of another fork's",
        "scale_bias",
    ),
    (
        "BatchNorm",
        "batch_norm_param { use_weight_bias: true }",
        IMAGE,
        "scales and shifts",
        "use_weight_bias",
    ),
    ("MVN", "", {"x": (1, 1, 1, 1, 1)}, "at most 4 axes", 'bottom: "x"'),
    (
        "Scale",
        "",
        {"x": (2, 3, 8, 8), "s": (4,)},
        "the operand has shape [4]; from axis 1 on the bottom has [3]",
        'bottom: "s"',
    ),
    (
        "Scale",
        "scale_param { axis: 2 num_axes: 3 }",
        IMAGE,
        "go beyond the bottom",
        "num_axes: 3",
    ),
    ("Scale", "scale_param { num_axes: -2 }", IMAGE, "num_axes is -2", "num_axes: -2"),
    ("Bias", "", {"x": (2, 3), "s": (3, 1)}, "the operand has shape [3, 1]", 'bottom: "s"'),
    ("PReLU", "", {"x": (3,)}, "PReLU takes 2 or more axes", 'bottom: "x"'),
    ("Dropout", "dropout_param { dropout_ratio: 1 }", IMAGE, "dropout_ratio 1 is not", "dropout_r"),
    ("Dropout", "dropout_param { dropout_ratio: -0.1 }", IMAGE, "dropout_ratio -0.1", "dropout_r"),
    ("Clip", "clip_param { min: 2 max: 1 }", IMAGE, "min 2 is above max 1", "min: 2"),
    ("Exp", "exp_param { base: 0 }", IMAGE, "base 0 is not positive", "base: 0"),
    ("Log", "log_param { base: -2 }", IMAGE, "base -2 is not positive", "base: -2"),
    ("Log", "log_param { base: 1 }", IMAGE, "no logarithm to base 1", "base: 1"),
    (
        "Power",
        "power_param { power: -1 scale: 0 }",
        IMAGE,
        "shift ** power = 0 ** -1",
        "power: -1",
    ),
    (
        "Eltwise",
        "",
        {"x": (2, 3, 8, 8), "z": (2, 4, 8, 8)},
        "bottom 1 has shape [2, 4, 8, 8], bottom 0 has [2, 3, 8, 8]",
        'bottom: "z"',
    ),
    (
        "Eltwise",
        "eltwise_param { coeff: 1 }",
        {"x": (2,), "z": (2,)},
        "1 coeff values for 2 bottoms",
        "coeff: 1",
    ),
    (
        "Eltwise",
        "eltwise_param { operation: PROD coeff: 1 coeff: 1 }",
        {"x": (2,), "z": (2,)},
        "coeff is for SUM",
        "coeff: 1",
    ),
    (
        "Eltwise",
        "eltwise_param { operation: SORT }",
        {"x": (2,), "z": (2,)},
        "`operation: SORT` is another fork's",
        "operation: SORT",
    ),
    ("Eltwise", "", IMAGE, "takes 2 or more bottom blob(s), 1 given", 'bottom: "x"'),
    (
        "Concat",
        "",
        {"x": (2, 3, 8, 8), "y": (2, 3, 8, 6)},
        "bottom 1 has shape [2, 3, 8, 6]",
        'bottom: "y"',
    ),
    ("Concat", "", {"x": (2, 3), "y": (2, 3, 1)}, "bottom 1 has 3 axes", 'bottom: "y"'),
    (
        "Concat",
        "concat_param { axis: 1 concat_dim: 1 }",
        {"x": (2, 3)},
        "both axis and concat_dim are given",
        "concat_dim: 1",
    ),
    (
        "Slice",
        'top: "z" top: "w" slice_param { slice_point: 2 }',
        IMAGE,
        "1 slice_point values for 3 tops",
        "slice_point: 2",
    ),
    ("Slice", 'top: "z"', IMAGE, "do not divide into 2 equal parts", 'top: "z"'),
    (
        "Slice",
        'top: "z" top: "w" slice_param { slice_point: 2 slice_point: 1 }',
        IMAGE,
        "do not ascend",
        "slice_point: 2",
    ),
    ("Flatten", "flatten_param { axis: 4 }", IMAGE, "axis 4 is out of range", "axis: 4"),
    (
        "Flatten",
        "flatten_param { axis: 3 end_axis: 1 }",
        IMAGE,
        "axis 3 comes after end_axis 1",
        "end_axis: 1",
    ),
    (
        "Reshape",
        "reshape_param { shape { dim: 2 dim: 100 } }",
        IMAGE,
        "has 384 elements, the new shape [2, 100] has 200",
        "shape",
    ),
    (
        "Reshape",
        "reshape_param { shape { dim: -1 dim: -1 } }",
        IMAGE,
        "2 dims are -1",
        "shape",
    ),
    (
        "Reshape",
        "reshape_param { shape { dim: -1 dim: 5 } }",
        IMAGE,
        "do not divide into the given extents, 5",
        "shape",
    ),
    (
        "Reshape",
        "reshape_param { axis: 3 shape { dim: 2 dim: 0 } }",
        IMAGE,
        "has no axis 4",
        "shape",
    ),
    ("Reshape", "reshape_param { axis: 5 }", IMAGE, "axis 5 is out of range", "axis: 5"),
    ("Reshape", "reshape_param { axis: 1 num_axes: 4 }", IMAGE, "num_axes goes beyond", "num_axes"),
    ("Tile", "", IMAGE, "tiles is missing", "layer"),
    ("Tile", "tile_param { tiles: 0 }", IMAGE, "tiles is 0", "tiles: 0"),
    (
        "Crop",
        "crop_param { offset: 1 offset: 2 offset: 3 }",
        {"x": (2, 3, 8, 8), "z": (2, 3, 4, 4)},
        "3 offsets for 2 cropped axes",
        "offset: 1",
    ),
    (
        "Crop",
        "crop_param { offset: 1 offset: 5 }",
        {"x": (2, 3, 8, 8), "z": (2, 3, 4, 4)},
        "4 from offset 5 on go beyond it",
        "offset: 5",
    ),
    (
        "Crop",
        "",
        {"x": (2, 3, 8, 8), "z": (2, 3)},
        "the bottoms have 4 and 2 axes",
        'bottom: "z"',
    ),
    (
        "Reduction",
        "reduction_param { axis: 5 }",
        IMAGE,
        "axis 5 is out of range",
        "axis: 5",
    ),
    (
        "Reduction",
        "reduction_param { operation: TOPK }",
        IMAGE,
        "`operation: TOPK` is another fork's",
        "operation: TOPK",
    ),
    ("ArgMax", "argmax_param { top_k: 0 }", IMAGE, "top_k is 0", "top_k: 0"),
    (
        "ArgMax",
        "argmax_param { top_k: 4 axis: 1 }",
        IMAGE,
        "top_k 4 is more than the 3 elements compared",
        "top_k: 4",
    ),
    (
        "BatchReindex",
        "",
        {"x": (2, 3), "i": (2, 1)},
        "the indices have shape [2, 1]",
        'bottom: "i"',
    ),
    ("Permute", "permute_param { order: 4 }", IMAGE, "axis 4 is out of range", "order: 4"),
    ("Permute", "permute_param { order: 1 order: 1 }", IMAGE, "names an axis twice", "order: 1"),
    (
        "Normalize",
        "normalize_param { }",
        IMAGE,
        "this is another fork's Normalize layer",
        "normalize_param",
    ),
    (
        "Axpy",
        "",
        {"a": (2, 3), "x": (2, 3, 4), "y": (2, 3, 5)},
        "bottom 1 has shape",
        'bottom: "y"',
    ),
    (
        "Axpy",
        "",
        {"a": (2, 4), "x": (2, 3, 4), "y": (2, 3, 4)},
        "bottom 0 has shape",
        'bottom: "a"',
    ),
    (
        "ShuffleChannel",
        "shuffle_channel_param { group: 2 }",
        IMAGE,
        "3 channels do not divide into 2 groups",
        "group: 2",
    ),
    ("Interp", "", IMAGE, "the size of the top is missing", "layer"),
    ("Interp", "interp_param { zoom_factor: 0 }", IMAGE, "zoom_factor is 0", "zoom_factor: 0"),
    ("Interp", "interp_param { height: 4 width: -1 }", IMAGE, "width is -1", "width: -1"),
    (
        "Interp",
        "interp_param { height: 4 width: 4 pad_beg: 1 }",
        IMAGE,
        "pad_beg is 1",
        "pad_beg: 1",
    ),
    (
        "Interp",
        "interp_param { height: 4 width: 4 pad_beg: -8 }",
        IMAGE,
        "cropping leaves 0x0 pixels",
        "pad_beg: -8",
    ),
]


@pytest.mark.parametrize(
    ("kind", "body", "inputs", "message", "place"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
def test_refusal(
    kind: str, body: str, inputs: dict[str, tuple[int, ...]], message: str, place: str
) -> None:
    load_layers()
    bottoms = " ".join(f'bottom: "{name}"' for name in inputs)
    layer = f'layer {{ name: "bad" type: "{kind}" {bottoms} top: "out" {body} }}'
    net = parse_text(net_text(layer, **inputs), "NetParameter", "net.prototxt")
    with pytest.raises(RoasteryError) as caught:
        lower_layers(net, "TRAIN")
    error = caught.value
    assert message in error.message
    assert error.location is not None
    assert error.location.file == "net.prototxt" and error.location.layer == "bad"
    assert error.location.line == len(inputs) + 2
    pointed = error.location.text[error.location.column - 1 :]
    assert pointed.startswith(place), pointed[:40]


def test_fields_of_forks_at_their_defaults_pass() -> None:
    load_layers()
    layer = (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        "convolution_param { num_output: 2 kernel_size: 3 relu: false } }\n"
        'layer { name: "p" type: "Pooling" bottom: "c" top: "p" '
        "pooling_param { kernel_size: 2 avg_include_pad: true engine: MKL2017 } }"
    )
    lower_layers(parse_text(net_text(layer, **IMAGE), "NetParameter", "net.prototxt"), "TEST")

"""Writes ResNet-50 (He et al., "Deep residual learning", 2015) as prototxt."""

from __future__ import annotations

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # narrow channels, units, stride


def _layer(name: str, kind: str, bottoms: str, top: str, body: str = "") -> str:
    ends = "".join(f' bottom: "{b}"' for b in bottoms.split())
    return f'layer {{ name: "{name}" type: "{kind}"{ends} top: "{top}" {body} }}\n'


def _conv(name: str, bottom: str, outputs: int, size: int, stride: int, relu: bool) -> str:
    """Convolution without bias, BatchNorm, Scale and maybe ReLU, all in place."""
    body = (
        f"convolution_param {{ num_output: {outputs} kernel_size: {size} stride: {stride} "
        f'pad: {size // 2} bias_term: false weight_filler {{ type: "msra" }} }}'
    )
    text = _layer(name, "Convolution", bottom, name, body)
    text += _layer(f"bn_{name}", "BatchNorm", name, name)
    text += _layer(f"scale_{name}", "Scale", name, name, "scale_param { bias_term: true }")
    return text + (_layer(f"relu_{name}", "ReLU", name, name) if relu else "")


def resnet50(batch: int) -> str:
    """The net with a softmax loss, fed by an Input layer."""
    text = (
        'name: "ResNet-50"\nlayer { name: "data" type: "Input" top: "data" top: "label" '
        f"input_param {{ shape {{ dim: {batch} dim: 3 dim: 224 dim: 224 }} "
        f"shape {{ dim: {batch} }} }} }}\n"
    )
    text += _conv("conv1", "data", 64, 7, 2, True)
    text += _layer("pool1", "Pooling", "conv1", "pool1",
                   "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")  # fmt: skip
    below = "pool1"
    for stage, (narrow, units, first_stride) in enumerate(STAGES, 2):
        for unit in range(units):
            name = f"res{stage}{chr(ord('a') + unit)}"
            stride = first_stride if unit == 0 else 1
            beside = below
            if unit == 0:
                beside = f"{name}_branch1"
                text += _conv(beside, below, 4 * narrow, 1, stride, False)
            text += _conv(f"{name}_branch2a", below, narrow, 1, stride, True)
            text += _conv(f"{name}_branch2b", f"{name}_branch2a", narrow, 3, 1, True)
            text += _conv(f"{name}_branch2c", f"{name}_branch2b", 4 * narrow, 1, 1, False)
            text += _layer(name, "Eltwise", f"{beside} {name}_branch2c", name)
            text += _layer(f"{name}_relu", "ReLU", name, name)
            below = name
    text += _layer("pool5", "Pooling", below, "pool5",
                   "pooling_param { pool: AVE global_pooling: true }")  # fmt: skip
    text += _layer("fc1000", "InnerProduct", "pool5", "fc1000",
                   'inner_product_param { num_output: 1000 weight_filler { type: "xavier" } }',
                   )  # fmt: skip
    return text + _layer("loss", "SoftmaxWithLoss", "fc1000 label", "loss")

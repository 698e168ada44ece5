"""Small nets of several layers that tests of executors and compilers share."""

from __future__ import annotations

import numpy as np


def inputs(**shapes: tuple[int, ...]) -> str:
    """Input layers, one per blob."""
    return "".join(
        f'layer {{ name: "in_{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {d}" for d in shape)
        + " } } }\n"
        for name, shape in shapes.items()
    )


def layer(name: str, kind: str, bottom: str, body: str = "", top: str = "") -> str:
    """A layer from blobs to blobs, both as words; its top has its name where none is given."""
    ends = [f'bottom: "{b}"' for b in bottom.split()]
    ends += [f'top: "{t}"' for t in (top or name).split()]
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(ends)} {body} }}\n'


def conv(name: str, bottom: str, outputs: int, size: int, more: str = "") -> str:
    body = f"num_output: {outputs} kernel_size: {size} {more} {XAVIER}"
    return layer(name, "Convolution", bottom, f"convolution_param {{ {body} }}")


def deconv(name: str, bottom: str, outputs: int, size: int, more: str = "") -> str:
    body = f"num_output: {outputs} kernel_size: {size} {more} {XAVIER}"
    return layer(name, "Deconvolution", bottom, f"convolution_param {{ {body} }}")


def pool(name: str, bottom: str, body: str) -> str:
    return layer(name, "Pooling", bottom, f"pooling_param {{ {body} }}")


def dense(name: str, bottom: str, outputs: int, more: str = "") -> str:
    body = f"num_output: {outputs} {XAVIER}"
    return layer(name, "InnerProduct", bottom, f"inner_product_param {{ {body} }} {more}")


def relu(bottom: str) -> str:
    """In place."""
    return layer(f"relu_{bottom}", "ReLU", bottom, top=bottom)


def batch_norm(bottom: str) -> str:
    """BatchNorm and Scale with bias, both in place."""
    scale = 'scale_param { bias_term: true filler { type: "uniform" min: 0.5 max: 1.5 } }'
    return layer(f"bn_{bottom}", "BatchNorm", bottom, top=bottom) + layer(
        f"scale_{bottom}", "Scale", bottom, scale, top=bottom
    )


XAVIER = 'weight_filler { type: "xavier" } bias_filler { type: "uniform" min: -0.1 max: 0.1 }'


def lenet(batch: int = 64, side: int = 28) -> str:
    return (
        inputs(data=(batch, 1, side, side), label=(batch,))
        + conv("conv1", "data", 20, 5)
        + pool("pool1", "conv1", "pool: MAX kernel_size: 2 stride: 2")
        + conv("conv2", "pool1", 50, 5)
        + pool("pool2", "conv2", "pool: MAX kernel_size: 2 stride: 2")
        + dense("ip1", "pool2", 500)
        + relu("ip1")
        + dense("ip2", "ip1", 10)
        + layer("loss", "SoftmaxWithLoss", "ip2 label")
    )


def inception(batch: int = 8, side: int = 14, channels: int = 4) -> str:
    """LRN, an inception module with BatchNorm, Scale, a residual sum, dropout and a loss."""
    c = channels
    return (
        inputs(data=(batch, 2 * c, side, side), label=(batch,))
        + conv("stem", "data", 4 * c, 3, "pad: 1")
        + relu("stem")
        + layer("norm", "LRN", "stem", "lrn_param { local_size: 5 alpha: 0.05 beta: 0.75 }")
        + conv("b1", "norm", c, 1)
        + batch_norm("b1")
        + relu("b1")
        + conv("b3r", "norm", c, 1)
        + relu("b3r")
        + conv("b3", "b3r", 2 * c, 3, "pad: 1")
        + relu("b3")
        + pool("bp", "norm", "pool: MAX kernel_size: 3 stride: 1 pad: 1")
        + conv("bpp", "bp", c, 1)
        + relu("bpp")
        + layer("cat", "Concat", "b1 b3 bpp")
        + layer("sum", "Eltwise", "cat norm", "eltwise_param { coeff: 1 coeff: 0.5 }")
        + pool("ave", "sum", "pool: AVE global_pooling: true")
        + layer("drop", "Dropout", "ave", "dropout_param { dropout_ratio: 0.4 }")
        + dense("score", "drop", 10)
        + layer("loss", "SoftmaxWithLoss", "score label")
        + layer("accuracy", "Accuracy", "score label")
    )


LENET = lenet()
INCEPTION = inception(channels=16)


def fully_convolutional(batch: int, height: int, width: int) -> str:
    """Classes of pixels, for images of any size."""
    return (
        inputs(data=(batch, 3, height, width))
        + conv("c1", "data", 8, 3, "pad: 1")
        + batch_norm("c1")
        + relu("c1")
        + pool("p1", "c1", "pool: MAX kernel_size: 2 stride: 2")
        + layer("n1", "LRN", "p1", "lrn_param { local_size: 3 }")
        + conv("c2", "n1", 12, 3, "pad: 1 stride: 2")
        + relu("c2")
        + pool("p2", "c2", "pool: AVE kernel_size: 3 stride: 2")
        + conv("score", "p2", 5, 1)
        + deconv("up", "score", 5, 16, "stride: 8 bias_term: false")
        + layer("crop", "Crop", "up data", "crop_param { axis: 2 offset: 2 }")
        + layer("drop", "Dropout", "crop", "dropout_param { dropout_ratio: 0.4 }")
        + layer("prob", "Softmax", "drop")
    )


def resizable(batch: int, *, normalised: bool = False) -> str:
    """All of its outputs follow the images: rounded up, cropped, along rows, over all positions."""
    return (
        inputs(data=(batch, 3, 17, 23))
        + conv("conv", "data", 4, 3, "pad: 1 stride: 2")
        + (batch_norm("conv") if normalised else "")
        + relu("conv")
        + pool("pool", "conv", "kernel_size: 3 stride: 2 pool: AVE")
        + deconv("up", "pool", 5, 4, "stride: 2")
        + layer("crop", "Crop", "up conv", "crop_param { axis: 2 offset: 0 }")
        + layer("prob", "Softmax", "crop")
        + layer("across", "Softmax", "conv", "softmax_param { axis: 3 }")
        + pool("mean", "conv", "global_pooling: true pool: AVE")
    )


def residual(batch: int = 3, side: int = 5, units: int = 1) -> str:
    """Residual units with BatchNorm and Scale."""
    text = inputs(data=(batch, 3, side, side), label=(batch,))
    text += conv("c0", "data", 4, 3, "pad: 1 bias_term: false") + batch_norm("c0") + relu("c0")
    below = "c0"
    for unit in [f"u{i}" for i in range(units)]:
        text += conv(f"{unit}a", below, 4, 3, "pad: 1 bias_term: false")
        text += batch_norm(f"{unit}a") + relu(f"{unit}a")
        text += conv(f"{unit}b", f"{unit}a", 4, 3, "pad: 1 bias_term: false")
        text += batch_norm(f"{unit}b")
        text += layer(unit, "Eltwise", f"{unit}b {below}") + relu(unit)
        below = unit
    return (
        text
        + pool("ave", below, "pool: AVE global_pooling: true")
        + dense("score", "ave", 5)
        + layer("loss", "SoftmaxWithLoss", "score label")
    )


def recurrent(steps: int = 2, streams: int = 2, hidden: int = 4, layers: int = 2) -> str:
    """LSTM layers on top of each other, and a regression of every step."""
    text = inputs(data=(steps, streams, 3), cont=(steps, streams), target=(steps, streams, 2))
    below = "data"
    body = (
        f"recurrent_param {{ num_output: {hidden} "
        'weight_filler { type: "uniform" min: -0.4 max: 0.4 } '
        'bias_filler { type: "uniform" min: -0.4 max: 0.4 } }'
    )
    for number in range(1, layers + 1):
        text += layer(f"lstm{number}", "LSTM", f"{below} cont", body)
        below = f"lstm{number}"
    wide = f"inner_product_param {{ num_output: 2 axis: 2 {XAVIER} }}"
    return (
        text
        + layer("score", "InnerProduct", below, wide)
        + layer("loss", "EuclideanLoss", "score target")
    )


def siamese(batch: int = 4) -> str:
    """Two branches with the same weights."""
    shared = 'param { name: "w" } param { name: "b" lr_mult: 2 }'
    return (
        inputs(data=(batch, 5), other=(batch, 5), label=(batch,))
        + dense("near", "data", 3, shared)
        + layer("near_t", "TanH", "near")
        + dense("far", "other", 3, shared)
        + layer("far_t", "TanH", "far")
        + layer("loss", "ContrastiveLoss", "near_t far_t label")
    )


def dropouts(batch: int = 6) -> str:
    """Three dropout layers, two of them in place, of different ratios."""
    return (
        inputs(data=(batch, 20), label=(batch,))
        + layer("d0", "Dropout", "data", "dropout_param { dropout_ratio: 0.2 }")
        + dense("f1", "d0", 17)
        + relu("f1")
        + layer("d1", "Dropout", "f1", top="f1")
        + dense("f2", "f1", 9)
        + layer("d2", "Dropout", "f2", "dropout_param { dropout_ratio: 0.7 }", top="f2")
        + dense("score", "f2", 4)
        + layer("loss", "SoftmaxWithLoss", "score label")
    )


def normalised_block(name: str, bottom: str) -> str:
    """A convolution that is normalised, scaled and rectified."""
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        "convolution_param { num_output: 16 kernel_size: 3 pad: 1 bias_term: false "
        'weight_filler { type: "msra" } } }\n'
        f'layer {{ name: "{name}_bn" type: "BatchNorm" bottom: "{name}" top: "{name}" }}\n'
        f'layer {{ name: "{name}_scale" type: "Scale" bottom: "{name}" top: "{name}" '
        "scale_param { bias_term: true } }\n"
        f'layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
    )


def normalised(blocks: int, extent: int, batch: int) -> str:
    """Blocks one after the other, and a loss."""
    text, bottom = inputs(x=(batch, 8, extent, extent), t=(batch,)), "x"
    for number in range(blocks):
        text += normalised_block(f"b{number}", bottom)
        bottom = f"b{number}"
    return text + _loss_of(bottom)


def bottlenecks(blocks: int, extent: int, batch: int) -> str:
    """Blocks that add what they make of few channels to what came in, and a loss."""
    text, bottom = inputs(x=(batch, 8, extent, extent), t=(batch,)), "x"
    for number in range(blocks):
        few, many, sum_ = f"a{number}", f"c{number}", f"b{number}"
        text += normalised_block(few, bottom)
        text += _widened(many, few)
        if not number:
            text += _widened("first", bottom)
            bottom = "first"
        text += layer(sum_, "Eltwise", f"{bottom} {many}")
        text += f'layer {{ name: "{sum_}_relu" type: "ReLU" bottom: "{sum_}" top: "{sum_}" }}\n'
        bottom = sum_
    return text + _loss_of(bottom)


def rectified_and_pooled(extent: int, batch: int) -> str:
    """Twice, and a loss."""
    text, bottom = inputs(x=(batch, 8, extent, extent), t=(batch,)), "x"
    for name in ("a", "b"):
        text += (
            f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
            "convolution_param { num_output: 32 kernel_size: 3 pad: 1 "
            'weight_filler { type: "msra" } } }\n'
            f'layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}\n'
            f'layer {{ name: "{name}_pool" type: "Pooling" bottom: "{name}" top: "{name}_pool" '
            "pooling_param { kernel_size: 2 stride: 2 } }\n"
        )
        bottom = f"{name}_pool"
    return text + _loss_of(bottom)


def _widened(name: str, bottom: str) -> str:
    """A product of channels that is normalised and scaled."""
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        "convolution_param { num_output: 64 kernel_size: 1 bias_term: false "
        'weight_filler { type: "msra" } } }\n'
        f'layer {{ name: "{name}_bn" type: "BatchNorm" bottom: "{name}" top: "{name}" }}\n'
        f'layer {{ name: "{name}_scale" type: "Scale" bottom: "{name}" top: "{name}" '
        "scale_param { bias_term: true } }\n"
    )


def _loss_of(bottom: str) -> str:
    return dense("ip", bottom, 3) + (
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
    )


def with_host_op() -> tuple[str, dict[str, np.ndarray]]:
    """A net with an op that has no kernel (Yolov3 finds the cell of a box), and its inputs."""
    given = {
        "told": np.linspace(-1, 1, 128, dtype=np.float32).reshape(1, 8, 4, 4),
        "truth": np.array([[1, 0.4, 0.6, 0.3, 0.2]], np.float32),
    }
    text = inputs(**{name: array.shape for name, array in given.items()})
    settings = "yolov3_param { num: 1 num_class: 3 biases: 22 biases: 29 mask: 0 }"
    return text + layer("matched", "Yolov3", " ".join(given), settings, "loss"), given

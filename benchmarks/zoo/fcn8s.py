"""FCN-8s in one piece, for 21 classes (Long, Shelhamer, Darrell, "Fully convolutional networks for
semantic segmentation", 2015)."""

from __future__ import annotations

from .layers import beginning, convolution, dropout, layer, pooling, relu

CLASSES, SIDE = 21, 500
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions


def fcn8s(batch: int, deploy: bool = False) -> str:
    text, below = beginning("FCN-8s", batch, (3, SIDE, SIDE), True), "data"
    if not deploy:  # a class for each pixel
        dims = " ".join(f"dim: {d}" for d in (batch, 1, SIDE, SIDE))
        text += layer("label", "Input", "", "", f"input_param {{ shape {{ {dims} }} }}")
    for stage, (channels, count) in enumerate(STAGES, 1):
        for number in range(1, count + 1):
            name = f"conv{stage}_{number}"
            pad = 100 if below == "data" else 1  # so that pictures of any size have scores
            text += convolution(name, below, channels, 3, f"pad: {pad}") + relu(name)
            below = name
        text += pooling(f"pool{stage}", below, "MAX", "kernel_size: 2 stride: 2")
        below = f"pool{stage}"
    text += convolution("fc6", below, 4096, 7) + relu("fc6") + dropout("fc6", 0.5)
    text += convolution("fc7", "fc6", 4096, 1) + relu("fc7") + dropout("fc7", 0.5)
    text += convolution("score_fr", "fc7", CLASSES, 1) + _larger("upscore2", "score_fr", 2)
    text += _added("pool4", "upscore2", 5) + _larger("upscore_pool4", "fuse_pool4", 2)
    text += _added("pool3", "upscore_pool4", 9) + _larger("upscore8", "fuse_pool3", 8)
    text += _cut("score", "upscore8", "data", 31)
    if deploy:
        return text
    body = "loss_param { ignore_label: 255 normalize: false }"
    return text + layer("loss", "SoftmaxWithLoss", "score label", "", body)


def _larger(name: str, bottom: str, factor: int) -> str:
    """Scores of a picture that is so many times as large."""
    body = f"num_output: {CLASSES} bias_term: false kernel_size: {2 * factor} stride: {factor}"
    return layer(name, "Deconvolution", bottom, "", f"convolution_param {{ {body} }}")


def _added(pool: str, scores: str, offset: int) -> str:
    """Scores of what a pooling layer gives, and others of the same size, added up."""
    text = convolution(f"score_{pool}", pool, CLASSES, 1)
    text += _cut(f"score_{pool}c", f"score_{pool}", scores, offset)
    return text + layer(f"fuse_{pool}", "Eltwise", f"{scores} score_{pool}c")


def _cut(name: str, bottom: str, like: str, offset: int) -> str:
    body = f"crop_param {{ axis: 2 offset: {offset} }}"
    return layer(name, "Crop", f"{bottom} {like}", "", body)

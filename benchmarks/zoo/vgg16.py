"""VGG-16 (Simonyan and Zisserman, "Very deep convolutional networks", 2014), configuration D."""

from __future__ import annotations

from .layers import beginning, convolution, dropout, ending, inner_product, pooling, relu

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions


def vgg16(batch: int, deploy: bool = False) -> str:
    text, below = beginning("VGG-16", batch, (3, 224, 224), deploy), "data"
    for stage, (channels, count) in enumerate(STAGES, 1):
        for number in range(1, count + 1):
            name = f"conv{stage}_{number}"
            text += convolution(name, below, channels, 3, "pad: 1") + relu(name)
            below = name
        text += pooling(f"pool{stage}", below, "MAX", "kernel_size: 2 stride: 2")
        below = f"pool{stage}"
    text += inner_product("fc6", below, 4096) + relu("fc6") + dropout("fc6", 0.5)
    text += inner_product("fc7", "fc6", 4096) + relu("fc7") + dropout("fc7", 0.5)
    return text + inner_product("fc8", "fc7", 1000) + ending("fc8", deploy)

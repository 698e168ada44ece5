"""MobileNet v1, width 1 (Howard et al., "MobileNets", 2017)."""

from __future__ import annotations

from .layers import beginning, convolution, ending, global_pooling, normalised, relu

BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2),
          (1024, 1))  # fmt: skip
"""Outputs and stride of each depthwise convolution with the 1x1 that follows it."""


def mobilenet(batch: int, deploy: bool = False) -> str:
    text = beginning("MobileNet v1", batch, (3, 224, 224), deploy)
    text += normalised("conv1", "data", 32, 3, "pad: 1 stride: 2") + relu("conv1")
    below, channels = "conv1", 32
    for number, (outputs, stride) in enumerate(BLOCKS, 2):
        deep, flat = f"conv{number}/dw", f"conv{number}/sep"
        text += normalised(deep, below, channels, 3, f"pad: 1 stride: {stride} group: {channels}")
        text += relu(deep) + normalised(flat, deep, outputs, 1) + relu(flat)
        below, channels = flat, outputs
    text += global_pooling("pool6", below) + convolution("fc7", "pool6", 1000, 1)
    return text + ending("fc7", deploy)

"""SqueezeNet 1.1 (Iandola et al., "SqueezeNet", 2016; the release 1.1 of its authors)."""

from __future__ import annotations

from .layers import beginning, convolution, dropout, ending, global_pooling, layer, pooling, relu

FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Outputs of each module: of its squeeze, and of both of its expansions."""
POOL_BEFORE = (2, 4)  # the number of the module


def squeezenet(batch: int, deploy: bool = False) -> str:
    text = beginning("SqueezeNet 1.1", batch, (3, 227, 227), deploy)
    text += convolution("conv1", "data", 64, 3, "stride: 2") + relu("conv1")
    text += pooling("pool1", "conv1", "MAX", "kernel_size: 3 stride: 2")
    below = "pool1"
    for number, (narrow, wide) in enumerate(FIRES):
        name = f"fire{number + 2}"
        if number in POOL_BEFORE:
            pooled = f"pool{number + 1}"
            text += pooling(pooled, below, "MAX", "kernel_size: 3 stride: 2")
            below = pooled
        squeeze, one, three = f"{name}/squeeze1x1", f"{name}/expand1x1", f"{name}/expand3x3"
        text += convolution(squeeze, below, narrow, 1) + relu(squeeze)
        text += convolution(one, squeeze, wide, 1) + relu(one)
        text += convolution(three, squeeze, wide, 3, "pad: 1") + relu(three)
        below = f"{name}/concat"
        text += layer(below, "Concat", f"{one} {three}")
    text += dropout(below, 0.5) + convolution("conv10", below, 1000, 1) + relu("conv10")
    return text + global_pooling("pool10", "conv10") + ending("pool10", deploy)

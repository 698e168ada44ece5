"""CaffeNet: AlexNet (Krizhevsky et al., 2012) with pooling before LRN, as Caffe has it."""

from __future__ import annotations

from .layers import beginning, convolution, dropout, ending, inner_product, lrn, pooling, relu

_POOL = "kernel_size: 3 stride: 2"


def caffenet(batch: int, deploy: bool = False) -> str:
    text = beginning("CaffeNet", batch, (3, 227, 227), deploy)
    text += convolution("conv1", "data", 96, 11, "stride: 4") + relu("conv1")
    text += pooling("pool1", "conv1", "MAX", _POOL) + lrn("norm1", "pool1")
    text += convolution("conv2", "norm1", 256, 5, "pad: 2 group: 2") + relu("conv2")
    text += pooling("pool2", "conv2", "MAX", _POOL) + lrn("norm2", "pool2")
    text += convolution("conv3", "norm2", 384, 3, "pad: 1") + relu("conv3")
    text += convolution("conv4", "conv3", 384, 3, "pad: 1 group: 2") + relu("conv4")
    text += convolution("conv5", "conv4", 256, 3, "pad: 1 group: 2") + relu("conv5")
    text += pooling("pool5", "conv5", "MAX", _POOL)
    text += inner_product("fc6", "pool5", 4096) + relu("fc6") + dropout("fc6", 0.5)
    text += inner_product("fc7", "fc6", 4096) + relu("fc7") + dropout("fc7", 0.5)
    return text + inner_product("fc8", "fc7", 1000) + ending("fc8", deploy)

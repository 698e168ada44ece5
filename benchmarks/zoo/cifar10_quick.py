"""The net of Caffe's CIFAR-10 example that trains fast."""

from __future__ import annotations

from .layers import beginning, convolution, ending, inner_product, pooling, relu

_POOL = "kernel_size: 3 stride: 2"


def cifar10_quick(batch: int, deploy: bool = False) -> str:
    text = beginning("CIFAR-10 quick", batch, (3, 32, 32), deploy)
    text += convolution("conv1", "data", 32, 5, "pad: 2")
    text += pooling("pool1", "conv1", "MAX", _POOL) + relu("pool1")
    text += convolution("conv2", "pool1", 32, 5, "pad: 2") + relu("conv2")
    text += pooling("pool2", "conv2", "AVE", _POOL)
    text += convolution("conv3", "pool2", 64, 5, "pad: 2") + relu("conv3")
    text += pooling("pool3", "conv3", "AVE", _POOL)
    text += inner_product("ip1", "pool3", 64) + inner_product("ip2", "ip1", 10)
    return text + ending("ip2", deploy)

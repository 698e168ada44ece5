"""LeNet, as in Caffe's MNIST example."""

from __future__ import annotations

from .layers import beginning, convolution, ending, inner_product, pooling, relu

_POOL = "kernel_size: 2 stride: 2"


def lenet(batch: int, deploy: bool = False) -> str:
    text = beginning("LeNet", batch, (1, 28, 28), deploy)
    text += convolution("conv1", "data", 20, 5) + pooling("pool1", "conv1", "MAX", _POOL)
    text += convolution("conv2", "pool1", 50, 5) + pooling("pool2", "conv2", "MAX", _POOL)
    text += inner_product("ip1", "pool2", 500) + relu("ip1")
    return text + inner_product("ip2", "ip1", 10) + ending("ip2", deploy)

"""ResNet-50 (He et al., "Deep residual learning", 2015)."""

from __future__ import annotations

from .layers import (
    beginning,
    ending,
    global_pooling,
    inner_product,
    layer,
    normalised,
    pooling,
    relu,
)

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # narrow channels, stride


def resnet50(batch: int, deploy: bool = False) -> str:
    return resnet("ResNet-50", (3, 4, 6, 3), batch, deploy)


def resnet(name: str, units: tuple[int, ...], batch: int, deploy: bool = False) -> str:
    """As deep as ``units`` of its four stages make it: 3, 8, 36, 3 are ResNet-152's."""
    text = beginning(name, batch, (3, 224, 224), deploy)
    text += normalised("conv1", "data", 64, 7, "pad: 3 stride: 2") + relu("conv1")
    text += pooling("pool1", "conv1", "MAX", "kernel_size: 3 stride: 2")
    below = "pool1"
    for stage, ((narrow, first_stride), many) in enumerate(zip(STAGES, units, strict=True), 2):
        for unit in range(many):
            # The names of deep ones are those of their authors: res4a, res4b1, res4b2 ...
            name = (
                f"res{stage}{chr(ord('a') + unit)}"
                if many < 8 or unit == 0
                else f"res{stage}b{unit}"
            )
            stride = f"stride: {first_stride}" if unit == 0 else ""
            beside = below
            if unit == 0:
                beside = f"{name}_branch1"
                text += normalised(beside, below, 4 * narrow, 1, stride)
            a, b, c = (f"{name}_branch2{letter}" for letter in "abc")
            text += normalised(a, below, narrow, 1, stride) + relu(a)
            text += normalised(b, a, narrow, 3, "pad: 1") + relu(b)
            text += normalised(c, b, 4 * narrow, 1)
            text += layer(name, "Eltwise", f"{beside} {c}") + relu(name)
            below = name
    text += global_pooling("pool5", below) + inner_product("fc1000", "pool5", 1000)
    return text + ending("fc1000", deploy)

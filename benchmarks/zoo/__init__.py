"""The nets that are measured, written by generators of our own; weights are random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from examples.googlenet.make_net import googlenet

from .caffenet import caffenet
from .cifar10_quick import cifar10_quick
from .lenet import lenet
from .mobilenet import mobilenet
from .resnet50 import resnet50
from .squeezenet import squeezenet


class Text(Protocol):
    """The prototxt for a batch size; ``deploy``: without label and loss."""

    def __call__(self, batch: int, *, deploy: bool = False) -> str: ...


@dataclass(frozen=True)
class ZooNet:
    """``classes``: that labels name. ``caffe_ms``: what Caffe took on one core for a forward and
    backward pass at ``train_batch``, where that was recorded."""

    name: str
    text: Text
    classes: int = 1000
    train_batch: int = 32
    caffe_ms: float | None = None


ZOO = {
    "squeezenet": ZooNet("SqueezeNet 1.1", squeezenet),
    "googlenet": ZooNet("GoogLeNet", googlenet),
    "caffenet": ZooNet("CaffeNet", caffenet),
    "mobilenet": ZooNet("MobileNet v1", mobilenet),
    "resnet50": ZooNet("ResNet-50", resnet50),
    "lenet": ZooNet("LeNet", lenet, 10, 64, 24.0),
    "cifar10_quick": ZooNet("CIFAR-10 quick", cifar10_quick, 10, 100),
}

"""The pycaffe interface: ``import roastery.caffe as caffe``."""

from runtime.python_layer import Layer

from .modes import TEST, TRAIN, set_device, set_mode_cpu, set_mode_gpu, set_random_seed
from .net import Net

__all__ = [
    "TEST",
    "TRAIN",
    "Layer",
    "Net",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_random_seed",
]

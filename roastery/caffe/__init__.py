"""The pycaffe interface: ``import roastery.caffe as caffe``."""

from runtime.python_layer import Layer

from .modes import (
    TEST,
    TRAIN,
    init_log,
    log,
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_random_seed,
)
from .net import Net
from .solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)

__all__ = [
    "TEST",
    "TRAIN",
    "AdaDeltaSolver",
    "AdaGradSolver",
    "AdamSolver",
    "Layer",
    "NesterovSolver",
    "Net",
    "RMSPropSolver",
    "SGDSolver",
    "get_solver",
    "init_log",
    "log",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_random_seed",
]

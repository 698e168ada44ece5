"""The pycaffe interface: ``import roastery.caffe as caffe``.

``install()`` makes a plain ``import caffe`` mean this package, so that scripts run unchanged.
"""

from runtime.exclusive import InUseError
from runtime.python.layer import Layer

from ..startup.caffe_alias import install
from . import io, proto
from ._version import __version__
from .classifier import Classifier
from .detector import Detector
from .layer_types import layer_type_list
from .modes import (
    TEST,
    TRAIN,
    init_log,
    log,
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_precision,
    set_random_seed,
)
from .net import Net
from .net_spec import NetSpec, layers, params, to_proto
from .parallel import (
    NCCL,
    has_nccl,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from .solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)
from .timer import Timer

__all__ = [
    "NCCL",
    "TEST",
    "TRAIN",
    "AdaDeltaSolver",
    "AdaGradSolver",
    "AdamSolver",
    "Classifier",
    "Detector",
    "InUseError",
    "Layer",
    "NesterovSolver",
    "Net",
    "NetSpec",
    "RMSPropSolver",
    "SGDSolver",
    "Timer",
    "__version__",
    "get_solver",
    "has_nccl",
    "init_log",
    "install",
    "io",
    "layer_type_list",
    "layers",
    "log",
    "params",
    "proto",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_multiprocess",
    "set_precision",
    "set_random_seed",
    "set_solver_count",
    "set_solver_rank",
    "solver_count",
    "solver_rank",
    "to_proto",
]

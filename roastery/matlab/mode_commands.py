"""Commands for the whole process. Caffe: matlab/+caffe/set_mode_cpu.m and others."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.logging.log_file import LogFileHandler

from .. import caffe
from ..caffe.modes import solver_log
from .arguments import MexArguments
from .objects import OBJECTS
from .results import NOTHING, Result, mx_number, mx_record, mx_text


def _set_mode_cpu(_: MexArguments) -> Result:
    caffe.set_mode_cpu()
    return NOTHING


def _set_mode_gpu(_: MexArguments) -> Result:
    caffe.set_mode_gpu()
    return NOTHING


def _set_device(given: MexArguments) -> Result:
    caffe.set_device(given.whole(0))
    return NOTHING


def _set_random_seed(given: MexArguments) -> Result:
    caffe.set_random_seed(given.whole(0))
    return NOTHING


def _init_log(given: MexArguments) -> Result:
    """Nets tell of themselves from now on, and solvers and they in a file, too.

    ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/init_log.m; one file here, whatever severity.
    """
    path = Path(given.path(0) + ".log")
    os.makedirs(path.parent, exist_ok=True)
    file = LogFileHandler(path)
    caffe.init_log()
    handlers = solver_log().handlers
    for before in [handler for handler in handlers if isinstance(handler, LogFileHandler)]:
        handlers.remove(before)
        before.close()
    handlers.append(file)
    return NOTHING


def _version(_: MexArguments) -> Result:
    return mx_text(caffe.__version__)


def _init_key(_: MexArguments) -> Result:
    return mx_number(OBJECTS.key)


def _reset(_: MexArguments) -> Result:
    solvers, nets = OBJECTS.clear()
    return mx_record({"solvers": mx_number(solvers), "nets": mx_number(nets)})


def _knows(given: MexArguments) -> Result:
    """Whether a handle is of a kind, and what it refers to still there."""
    return mx_number(OBJECTS.knows(given.text(0), given.handle(1)))


COMMANDS = {
    "set_mode_cpu": _set_mode_cpu,
    "set_mode_gpu": _set_mode_gpu,
    "set_device": _set_device,
    "set_random_seed": _set_random_seed,
    "init_log": _init_log,
    "version": _version,
    "get_init_key": _init_key,
    "reset": _reset,
    "knows": _knows,
}

"""The flags that choose a device, shared by every command that runs a net."""

from __future__ import annotations

import re

from .command import Arguments, Flag, UsageError
from .flag_values import suggest

GPU_FLAG = Flag(
    "gpu", "Caffe's way to choose a GPU: its number", metavar="N", brief="run on this GPU"
)

DEVICES = (
    "cpu (kernels in C; numpy where there is no C compiler), cuda, cuda:N, reference (numpy, "
    "nothing optimised), or interpret (the GPU kernels on the CPU, slow)"
)

DEVICE_BRIEF = "where to run: cpu, cuda, cuda:N, reference or interpret"

#: For a command that runs on one device: ``flags=(..., *DEVICE_FLAGS)``.
DEVICE_FLAG = Flag(
    "device",
    f"where to run: {DEVICES}; without it -gpu decides, then ROASTERY_DEVICE, then what the "
    "machine has",
    metavar="DEVICE",
    brief=DEVICE_BRIEF,
)

DEVICE_FLAGS = (DEVICE_FLAG, GPU_FLAG)

_DEVICES = ("reference", "cpu", "cuda", "interpret")
_DEVICE = re.compile(r"reference|cpu|interpret|cuda(:\d+)?")


def requested_device(arguments: Arguments) -> str | None:
    """What ``--device`` or ``-gpu`` asks for: "cpu", "cuda:0", ..., or None for neither.

    ``-gpu all`` is "cuda": one GPU, whichever the machine offers first.

    Raises:
        UsageError: not a device; several GPUs.
    """
    if arguments.device is not None:
        device: str = arguments.device
        if not _DEVICE.fullmatch(device):
            raise UsageError(
                f"--device={device}: must be reference, cpu, cuda, cuda:N or interpret"
                + ("; did you mean 'cuda'?" if "gpu" in device else suggest(device, _DEVICES))
            )
        return device
    gpu = arguments.gpu
    if gpu is None or gpu == "":
        return None
    if gpu == "all":
        return "cuda"
    if re.fullmatch(r"\d+", gpu):
        return f"cuda:{gpu}"
    if re.fullmatch(r"\d+(,\d+)+", gpu):
        raise UsageError(
            f"-gpu {gpu}: one GPU at a time; give one of these (`train` takes several)"
        )
    raise UsageError(f"-gpu {gpu}: must be the number of a GPU, or all")

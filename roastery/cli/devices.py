"""The flags that choose a device and its precision, shared by every command that runs a net."""

from __future__ import annotations

import re

from compiler.precision import OTHER_NAMES, PRECISIONS

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
DEVICE_FLAGS = (
    Flag(
        "device",
        f"where to run: {DEVICES}; without it -gpu decides, then ROASTERY_DEVICE, then what the "
        "machine has",
        metavar="DEVICE",
        brief=DEVICE_BRIEF,
    ),
    GPU_FLAG,
)

#: For a command that compiles a net.
PRECISION_FLAG = Flag(
    "precision",
    "how exact numbers are: float32; tf32 (factors of matrix products and convolutions have 11 "
    "significant bits); bfloat16 or float16 (what kernels store for each other has 16 bits; sums, "
    "parameters, statistics and losses stay float32); or ieee (float32 without the matrix units of "
    "GPUs). A device without units for it does float32, and a note says so. Without the flag "
    "ROASTERY_PRECISION decides, then float32",
    choices=PRECISIONS,
    meant=OTHER_NAMES,
    metavar="PRECISION",
    brief=", ".join(PRECISIONS[:-1]) + f" or {PRECISIONS[-1]}",
)

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
        raise UsageError(f"-gpu {gpu}: one GPU at a time; give one of these numbers")
    raise UsageError(f"-gpu {gpu}: must be the number of a GPU, or all")

"""On which devices the ranks of a training run."""

from __future__ import annotations

import re

from ..ranks.place import RankPlace
from .command import Arguments, Flag, UsageError
from .devices import requested_device

SEVERAL_GPUS_FLAG = Flag(
    "gpu",
    "Caffe's way to choose GPUs: 0, or 0,1,3, or all; of several each gets a rank of its own",
    metavar="N,N,...|all",
    brief="run on this GPU, or on several",
)

RANKS_FLAG = Flag(
    "ranks",
    "train by so many ranks on this machine (processes with a copy of the net each, which read "
    "other records and average their gradients): on the first so many GPUs, one for each, or with "
    "--device=cpu on the processors. Needs PyTorch: pip install 'roastery[distributed]'",
    "int",
    None,
    minimum=1,
    maximum=1024,
    metavar="N",
)

_SEVERAL = re.compile(r"\d+(,\d+)+")


def rank_devices(arguments: Arguments) -> list[str | None]:
    """The device of each rank that a command line asks for on this machine; None: whichever it
    would be for one.

    Raises:
        UsageError: flags that do not fit each other, too many GPUs, or GPUs where there are none.
    """
    named = _named(arguments)
    ranks = arguments.ranks
    if len(named) > 1:
        _need_gpus(f"-gpu {arguments.gpu}", ranks or len(named))
    if ranks is None or ranks == len(named):
        return [*named]
    if len(named) > 1:
        raise UsageError(
            f"--ranks={ranks}, but -gpu {arguments.gpu} names {len(named)} GPUs: each has a rank"
        )
    device = requested_device(arguments) if arguments.gpu != "all" else "cuda"
    if device is not None and device.startswith("cuda:"):
        raise UsageError(f"--ranks={ranks}, but one GPU is named: -gpu 0,1,... names several")
    if device == "cuda":
        _need_gpus(f"--ranks={ranks} on GPUs", ranks)
        count = _gpus()
        if ranks > count:
            raise UsageError(f"--ranks={ranks}, but this machine has {count} GPU(s)")
        return [f"cuda:{number}" for number in range(ranks)]
    return [device] * ranks


def device_of(place: RankPlace, devices: list[str | None]) -> str | None:
    """The device of one rank, where these were asked for.

    Raises:
        UsageError: there are too few.
    """
    if len(devices) > 1 and len(devices) != place.local_count and place.count > 1:
        raise UsageError(
            f"{place.local_count} ranks have been started on this machine (LOCAL_WORLD_SIZE), but "
            f"the command line asks for {len(devices)}"
        )
    if len(devices) > 1 or place.local_count == 1:
        return devices[place.local_rank]
    (device,) = devices
    if device is None or not device.startswith("cuda"):
        return device
    if ":" in device:
        raise UsageError(
            f"{place.local_count} ranks cannot share one GPU, {device}: --device=cuda gives each "
            "one of its own"
        )
    return f"cuda:{place.local_rank}"


def _named(arguments: Arguments) -> list[str | None]:
    if arguments.device is None and arguments.gpu == "all":
        return [f"cuda:{number}" for number in range(_gpus())] or ["cuda"]
    if arguments.device is None and _SEVERAL.fullmatch(arguments.gpu or ""):
        numbers = [int(number) for number in arguments.gpu.split(",")]
        if len(set(numbers)) < len(numbers):
            raise UsageError(f"-gpu {arguments.gpu}: one GPU is named twice")
        return [f"cuda:{number}" for number in numbers]
    return [requested_device(arguments)]


def _need_gpus(asked: str, ranks: int) -> None:
    """Tell how to train by as many ranks where there is no GPU: before PyTorch is asked for, whose
    installation would not help."""
    from ..devices.backends import cuda_missing

    if (reason := cuda_missing()) is not None:
        raise UsageError(
            f"{asked}: {reason}",
            hint=f"--device=cpu --ranks={ranks} trains by {ranks} ranks on the processors",
        )


def _gpus() -> int:
    """How many GPUs this machine has."""
    from runtime.cuda.driver import CudaUnavailable
    from runtime.cuda.driver.device import query_devices

    try:
        return len(query_devices())
    except CudaUnavailable:
        return 0

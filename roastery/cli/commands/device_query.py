"""``roastery device_query``: what this machine's GPUs and its CPU are. Caffe: tools/caffe.cpp."""

from __future__ import annotations

from ..caffe_flags import CAFFE_FLAGS
from ..command import Arguments, Command, Example, Flag, UsageError
from ..say import say


def _run(arguments: Arguments) -> None:
    from runtime.cuda.driver import CudaUnavailable, query_devices
    from runtime.logging import CaffeLine, CaffeLog

    from ...tools.cpu_query import cpu_lines
    from ...tools.device_query import property_lines

    if "gpu" not in arguments.given:
        for line in cpu_lines():
            say(line)
    log = CaffeLog.open()
    try:
        devices = query_devices()
    except CudaUnavailable as error:
        if "gpu" in arguments.given:
            raise
        say(f"{error.message}; nets run on the CPU (--device=cpu)")
        return
    wanted = _selected(arguments.gpu, len(devices))
    log.write(CaffeLine("caffe.cpp", 138), f"Querying GPUs {','.join(map(str, wanted))}")
    for index in wanted:
        for offset, line in enumerate(property_lines(devices[index])):
            log.write(CaffeLine("common.cpp", 178 + offset), line)


def _selected(gpu: str, count: int) -> list[int]:
    if gpu in ("", "all"):
        return list(range(count))
    wanted = []
    for word in gpu.split(","):
        if not word.strip().isdecimal():
            raise UsageError(f"--gpu={gpu}: must be numbers separated by commas, or all")
        if int(word) >= count:
            raise UsageError(f"--gpu={gpu}: this machine has GPUs 0 to {count - 1}")
        wanted.append(int(word))
    return wanted


COMMAND = Command(
    name="device_query",
    summary="Show the GPUs and the CPU of this machine",
    group="Machine",
    description="GPUs are written to standard error, in the form of a log, as Caffe does; without "
    "--gpu what runs nets on the CPU is said before, on standard output.",
    flags=(Flag("gpu", "numbers of GPUs, separated by commas, or all", default="", metavar="N"),),
    examples=(
        Example("roastery device_query", "the CPU and all GPUs"),
        Example("roastery device_query -gpu 0", "the first one"),
    ),
    accepts=CAFFE_FLAGS,
    run=_run,
)

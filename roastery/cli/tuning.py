"""The flags of commands that tune kernels."""

from __future__ import annotations

from .command import Flag

TIME_LIMIT_FLAG = Flag(
    "time_limit",
    "seconds that tuning may take; the longest kernels are measured first",
    "float",
    600.0,
    minimum=0.0,
    metavar="SECONDS",
)

TUNE_FLAG = Flag(
    "tune",
    "measure on this machine's GPU, which must be of one of the targets, which kernels are fastest",
    "bool",
    False,
)

TUNED_FLAG = Flag(
    "tuned",
    "kernels as `roastery tune NET --output FILE` found them, planned for the GPU that it ran on",
    default="",
    metavar="FILE",
)

"""The flags that say how a net is compiled, shared by commands that compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.precision import OTHER_NAMES, PRECISIONS

from .command import Arguments, Flag

if TYPE_CHECKING:
    from ..devices.compile_options import CompileRequest


def requested_compilation(arguments: Arguments) -> CompileRequest:
    """What ``--precision``, ``--passes``, ``--fuel``, ``--layout``, ``--threads`` and
    ``--memory-budget`` say."""
    from ..devices.compile_options import CompileRequest

    asked = arguments.precision, arguments.passes, arguments.layout, arguments.fuel
    others = (getattr(arguments, name, None) for name in ("threads", "memory_budget"))
    return CompileRequest(*asked, *others)


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

PASSES_FLAG = Flag(
    "passes",
    "the passes to run, in order, separated by commas (`roastery opt --list` lists them); none: "
    "only what the device cannot do without; without it ROASTERY_PASSES decides, then what suits "
    "the device",
    metavar="A,B",
    brief="the passes to run, in order; none: as few as possible",
)

FUEL_FLAG = Flag(
    "fuel",
    "make so many rewrites of each graph, then no more, and tell the last; without it "
    "ROASTERY_FUEL decides, then all are made",
    "int",
    minimum=0,
    metavar="N",
    brief="make so many rewrites of each graph, then no more",
)

LAYOUT_FLAG = Flag(
    "layout",
    "in which order of memory kernels compute images: row-major (N x C x H x W), channels-last, or "
    "channels-by-N (blocks of N channels); results are the same; without it ROASTERY_LAYOUT "
    "decides, then what suits the device",
    metavar="ORDER",
    brief="of images: row-major, channels-last or channels-by-N",
)

MEMORY_BUDGET_FLAG = Flag(
    "memory_budget",
    "how much memory parameters, their diffs, blobs and what lies between layers may need at one "
    "time, such as 3.5GiB: where that is less than what is fastest needs, backward computes values "
    "again instead of keeping them; results are the same; none: even on GPUs it computes nothing "
    "again, where it does what costs next to nothing; without it ROASTERY_MEMORY_BUDGET decides, "
    "then there is no budget",
    metavar="SIZE",
    brief="how much memory a net may need at one time",
)

THREADS_FLAG = Flag(
    "threads",
    "how many threads run the net on the CPU; results are the same; without it ROASTERY_THREADS "
    "decides, then OMP_NUM_THREADS, then the processors that there are",
    "int",
    minimum=1,
    metavar="N",
    brief="how many threads run the net on the CPU",
)

#: For a command that compiles and runs nets: all that :func:`requested_compilation` reads.
COMPILATION_FLAGS = (
    PRECISION_FLAG,
    PASSES_FLAG,
    FUEL_FLAG,
    LAYOUT_FLAG,
    MEMORY_BUDGET_FLAG,
    THREADS_FLAG,
)

"""The flags that choose the passes and their fuel, shared by commands that compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .command import Arguments, Flag

if TYPE_CHECKING:
    from ..devices.compile_options import CompileRequest


def requested_compilation(arguments: Arguments) -> CompileRequest:
    """What ``--precision``, ``--passes`` and ``--fuel`` say."""
    from ..devices.compile_options import CompileRequest

    return CompileRequest(arguments.precision, arguments.passes, arguments.fuel)


PASSES_FLAG = Flag(
    "passes",
    "the passes to run, in order, separated by commas (`roastery opt --list` lists them); none: "
    "only what the device cannot do without; without it ROASTERY_PASSES decides, then what suits "
    "the device",
    metavar="A,B",
)

FUEL_FLAG = Flag(
    "fuel",
    "make so many rewrites of each graph, then no more, and tell the last; without it "
    "ROASTERY_FUEL decides, then all are made",
    "int",
    minimum=0,
    metavar="N",
)

"""The flags that choose the passes and their fuel, shared by commands that compile."""

from __future__ import annotations

from .command import Flag

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

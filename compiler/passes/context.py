"""What a pass is given besides the graph."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from compiler.effort import NO_EFFORT, Effort
from compiler.options import CompileOptions
from ir.graph import Graph
from ir.printable import readable

from .fuel import Fuel

_LOGGER = logging.getLogger("roastery.passes")


@dataclass(frozen=True, slots=True)
class PassContext:
    """One run of the pipeline: what was asked for, how many rewrites are left, and what to go to
    for less memory."""

    options: CompileOptions = field(default_factory=CompileOptions)
    fuel: Fuel = field(default_factory=Fuel)
    effort: Effort = NO_EFFORT


def context_for(graph: Graph, options: CompileOptions, effort: Effort = NO_EFFORT) -> PassContext:
    """For passes on a graph; the last rewrite that there is fuel for is logged as a warning."""

    def tell(rewrite: str) -> None:
        _LOGGER.warning("%s", readable(f"graph {graph.name}: {rewrite}"))

    return PassContext(options, Fuel(options.fuel, tell), effort)


UNBOUNDED = PassContext()
"""Default options and every rewrite: for passes that are called by themselves."""

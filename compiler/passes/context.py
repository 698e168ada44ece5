"""What a pass is given besides the graph."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from compiler.options import CompileOptions
from ir.graph import Graph
from ir.printable import readable

from .fuel import Fuel

_LOGGER = logging.getLogger("roastery.passes")


@dataclass(frozen=True, slots=True)
class PassContext:
    """One run of the pipeline: what was asked for, and how many rewrites are left."""

    options: CompileOptions = field(default_factory=CompileOptions)
    fuel: Fuel = field(default_factory=Fuel)


def context_for(graph: Graph, options: CompileOptions) -> PassContext:
    """For passes on a graph; the last rewrite that there is fuel for is logged as a warning."""

    def tell(rewrite: str) -> None:
        _LOGGER.warning("%s", readable(f"graph {graph.name}: {rewrite}"))

    return PassContext(options, Fuel(options.fuel, tell))


UNBOUNDED = PassContext()
"""Default options and every rewrite: for passes that are called by themselves."""

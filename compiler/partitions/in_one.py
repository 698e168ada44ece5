"""The whole net as one graph, to be looked at: for those who run nothing."""

from __future__ import annotations

from ir.graph import Graph
from ir.program import NetProgram

from ..options import CompileOptions
from .graphs import PartitionGraphs
from .whole import whole


def in_one(
    program: NetProgram, options: CompileOptions, backward: bool | None
) -> tuple[Graph, Graph]:
    """What runs once, where parameters stay, and what a pass runs: with backward that of `train`,
    without that of `test` and `export`. Of symbols where sizes may change.

    Args:
        backward: None: in phase TRAIN, where there is a loss and something to learn.
    """
    plan = whole(program, in_one=True)
    (part,) = plan.parts
    general = program.general or program
    graphs = PartitionGraphs(general, general.layers, part, plan.held)
    trains = program.trains if backward is None else backward
    return (Graph(""), graphs.joint(part.training)) if trains else graphs.frozen(options)

"""A graph compiled so that it needs no more memory than it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.graph import Direction, Graph

from .compiled import CompiledGraph
from .effort import EFFORTS, NO_EFFORT, Effort
from .options import CompileOptions
from .passes.registry import default_passes
from .plan.footprint import Footprint, footprint


def within_budget(
    options: CompileOptions, graph: Graph, compile: Callable[[Effort], CompiledGraph]
) -> CompiledGraph:
    """The graph with the least effort that fits the budget of the options.

    Args:
        graph: what is compiled. Without backward there is nothing to compute again.
        compile: makes the graph with an effort.

    Raises RoasteryError where none fits, naming the least that is needed.
    """
    budget = options.memory_budget
    if budget is None or all(n.direction is Direction.UPDATE for n in graph.nodes):
        return compile(NO_EFFORT)
    needed: list[Footprint] = []
    for effort in _efforts(options, graph):
        compiled = compile(effort)
        needed.append(footprint(compiled.plan))
        if needed[-1].total + options.memory_elsewhere <= budget:
            return compiled
    least = min(needed, key=lambda found: found.total)
    elsewhere = options.memory_elsewhere
    raise RoasteryError(
        f"the memory budget is {byte_size(budget)}, and graph '{graph.name}' needs at least "
        f"{byte_size(least.total + elsewhere)}: {least}"
        + (f", history of the solver {byte_size(elsewhere)}" if elsewhere else ""),
        hint=f"a budget of {least.total + elsewhere} bytes suffices; a smaller batch needs less",
    )


def _efforts(options: CompileOptions, graph: Graph) -> Iterator[Effort]:
    """Those that differ."""
    behind = any(node.direction is Direction.BACKWARD for node in graph.nodes)
    on_gpu = options.target.kind == "cuda"
    known = set()
    for effort in EFFORTS if behind else EFFORTS[:1]:
        asked = options.passes
        passes = default_passes(options.target, effort) if asked is None else asked
        made = "checkpoint" in passes or (on_gpu and "recompute" in passes)
        key = passes, effort if made else NO_EFFORT
        if key not in known:
            known.add(key)
            yield effort

"""How much a graph computes again: nothing that costs, or as much as a memory budget asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.graph import Direction, Graph

from .compiled import CompiledGraph
from .effort import EFFORTS, NO_EFFORT, UNASKED, Effort
from .options import CompileOptions
from .passes.registry import default_passes
from .plan.footprint import Footprint, footprint
from .target import MiB

if TYPE_CHECKING:
    from .triton.cost.prediction import KnownTimes

NOTHING = 256 * MiB
"""Of values inside: where there are no more, memory is not what anybody is short of."""
LEAST_SAVED = 1 / 32
"""Of what a pass needs: less is not worth another plan."""
MOST_TIME = 1.03
"""Predicted, as many times what it takes where nothing is computed again."""
MOST_BYTES = 1.04
"""Likewise, of what launches read and write: predictions may be wrong, these are counted."""

WithEffort = Callable[[Effort], CompiledGraph]


def with_least_memory(options: CompileOptions, graph: Graph, compile: WithEffort) -> CompiledGraph:
    """The graph with the effort that the options ask for.

    Without a budget that is what saves most of what costs next to nothing: :data:`MOST_TIME` and
    :data:`MOST_BYTES` say what that is. Only GPUs are predicted. With one it is the least effort
    that fits, from there on.

    Args:
        graph: what is compiled. Without backward there is nothing to compute again.
        compile: makes the graph with an effort.

    Raises RoasteryError where none fits a budget, naming the least that is needed.
    """
    known: dict[Effort, CompiledGraph] = {}

    def attempt(effort: Effort) -> CompiledGraph:
        if effort not in known:
            known[effort] = compile(effort)
        return known[effort]

    first = _unasked(options, graph, attempt)
    if options.memory_budget is None or all(n.direction is Direction.UPDATE for n in graph.nodes):
        return first
    return _within(options.memory_budget, options, graph, first, attempt)


def _unasked(options: CompileOptions, graph: Graph, compile: WithEffort) -> CompiledGraph:
    """What is done where there is memory enough."""
    plain = compile(NO_EFFORT)
    if not weighs(options, graph) or plain.plan.memory.nbytes < NOTHING:
        return plain
    cost, best = _Cost(options), plain
    for effort in UNASKED:
        found = compile(effort)
        most = (1 - LEAST_SAVED) * footprint(best.plan).total
        if footprint(found.plan).total <= most and cost.is_about(found, plain):
            best = found
    return best


def weighs(options: CompileOptions, graph: Graph) -> bool:
    """Whether it depends on predictions what is computed again where there is memory enough."""
    predicted = options.target.kind == "cuda" and options.passes is None and options.recomputes
    return predicted and _has_both(graph)


def _has_both(graph: Graph) -> bool:
    """Whether backward is in the graph of forward: else that is told what to keep."""
    return {Direction.FORWARD, Direction.BACKWARD} <= {node.direction for node in graph.nodes}


class _Cost:
    """What is predicted for a GPU."""

    def __init__(self, options: CompileOptions) -> None:
        self._target = options.target
        self._known: KnownTimes = {}  # of launches: most are in all graphs

    def is_about(self, compiled: CompiledGraph, other: CompiledGraph) -> bool:
        """Whether a graph costs no more than another one, but for next to nothing."""
        (time, moved), (seconds, nbytes) = self._of(compiled), self._of(other)
        return time <= MOST_TIME * seconds and moved <= MOST_BYTES * nbytes

    def _of(self, compiled: CompiledGraph) -> tuple[float, int]:
        """Seconds, and bytes that are read and written."""
        from .triton.cost.prediction import predictions  # of GPUs alone

        found = list(predictions(compiled, self._target, self._known))
        seconds = sum(one.times * one.time.seconds for one in found)
        return seconds, sum(one.times * one.nbytes for one in found)


def _within(
    budget: int, options: CompileOptions, graph: Graph, first: CompiledGraph, compile: WithEffort
) -> CompiledGraph:
    """The first one that fits."""
    needed: list[Footprint] = []
    for compiled in _attempts(options, graph, first, compile):
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


def _attempts(
    options: CompileOptions, graph: Graph, first: CompiledGraph, compile: WithEffort
) -> Iterator[CompiledGraph]:
    yield first
    for effort in _efforts(options, graph):
        yield compile(effort)


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

"""From a graph to a compiled graph: the passes in order, then kernels and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ir.errors import RoasteryError
from ir.graph import Graph, Node, Port
from ir.graph_sizes import at_hand
from ir.size import Evaluation
from ir.text import format_graph
from ir.verify import verify
from roastery.files.atomic_file import atomic_path

from .budget import weighs, with_least_memory
from .bundles.bundling import with_bundles
from .bundles.copies import with_early_copies
from .collector import collector_paused
from .compiled import CompiledGraph
from .effort import NO_EFFORT, Effort
from .kernel import Launch
from .kernel_nodes import kernel_nodes
from .kernels.alike import Alike
from .kernels.launch import Printed
from .kernels.task import AsNumber
from .last_used import LastUsed
from .options import CompileOptions
from .passes.context import PassContext, context_for
from .passes.fuel import Fuel
from .passes.fuse import fuse
from .passes.places import with_places
from .passes.registry import default_passes, find_pass
from .plan.from_graph import plan_graph


class Observer(Protocol):
    """Called after every pass."""

    def __call__(self, name: str, graph: Graph) -> None: ...


def run_passes(
    graph: Graph,
    options: CompileOptions,
    observers: Sequence[Observer] = (),
    effort: Effort = NO_EFFORT,
) -> Graph:
    """Apply the passes that the options ask for, in order; every observer sees every result.

    Raises RoasteryError for a name that is no pass's.
    """
    context = context_for(graph, options, effort)
    names = default_passes(options.target, effort) if options.passes is None else options.passes
    for name in names:
        graph = find_pass(name)(graph, context)
        for observe in observers:
            observe(name, graph)
    return graph


def run_keeping_ports(
    graph: Graph,
    options: CompileOptions,
    observers: Sequence[Observer] = (),
    effort: Effort = NO_EFFORT,
) -> Graph:
    """As :func:`run_passes`, for a graph that is to run: its inputs and outputs are bound already.

    Raises RoasteryError for passes that change them, such as ``differentiate``.
    """
    after = run_passes(graph, options, observers, effort)
    for kind, old, new in (
        ("inputs", graph.inputs, after.inputs),
        ("outputs", graph.outputs, after.outputs),
    ):
        if changed := _keys(old) ^ _keys(new):
            names = ", ".join(f"'{name}'" for _, name in sorted(changed)[:3])
            raise RoasteryError(
                f"the passes {', '.join(options.passes or ())} change the {kind} of graph "
                f"'{graph.name}' ({names}), which has to run with those that it has",
                hint="choose others; `roastery opt` runs any on a graph as text",
            )
    return after


def _keys(ports: Sequence[Port]) -> set[tuple[str, str]]:
    return {(port.role.value, port.name) for port in ports}


def verify_each(name: str, graph: Graph) -> None:
    """Observer: the graph must keep the IR's rules. Raises InvalidGraph naming the pass."""
    try:
        verify(graph)
    except ValueError as error:
        raise type(error)(f"after the pass {name}: {error}") from error


@dataclass
class Dump:
    """Observer: writes ``<prefix>01_simplify.ir`` and so on into ``folder``."""

    folder: Path
    prefix: str
    count: int = 0

    def __call__(self, name: str, graph: Graph) -> None:
        self.count += 1
        path = self.folder / f"{self.prefix}{self.count:02}_{name}.ir"
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path, durable=False) as partial:
            partial.write_text(format_graph(graph), encoding="utf-8")


class Lower(Protocol):
    """A backend: the launches that compute one fused node, chosen for the ``number`` that each size
    is. ``known``: those that were made of the graph's nodes before, to which more are added."""

    def __call__(
        self, node: Node, options: CompileOptions, number: AsNumber, known: Printed
    ) -> Sequence[Launch]: ...


class EffortStore(Protocol):
    """What was decided for a graph, in this process or before."""

    def load(self) -> Effort | None: ...
    def save(self, effort: Effort) -> None: ...


SizeValues = tuple[tuple[str, int], ...]
"""Symbols, sorted, and what they are."""


class DecidingSizes(Protocol):
    """Tells what of the sizes decides how a graph is lowered: sizes of which it tells the same have
    the same launches, whose arguments are forms."""

    def __call__(self, graph: Graph, values: Mapping[str, int]) -> SizeValues: ...


def all_sizes(graph: Graph, values: Mapping[str, int]) -> SizeValues:
    """All of them do."""
    return tuple(sorted(values.items()))


KEPT = 8
"""For so many sizes, those that were used last, a graph stays compiled."""


class GraphCompiler:
    """Compiles a graph for whatever sizes it is asked for: its passes run once.

    Args:
        lower: makes kernels (``compiler.triton.lower.lower_node``); the only part that depends on
            the device.
        kept: knows what was decided before.
        deciding: of a ``lower`` that does not look at all sizes.
    """

    def __init__(
        self,
        graph: Graph,
        lower: Lower,
        options: CompileOptions,
        observers: Sequence[Observer] = (),
        kept: EffortStore | None = None,
        deciding: DecidingSizes = all_sizes,
    ) -> None:
        self._given = replace(graph)  # who keeps this for a graph must not keep the graph
        self._kept = kept
        self._observers = observers
        self._passed: dict[Effort, Graph] = {}
        self._lower = lower
        self._options = options
        self._deciding = all_sizes if options.memory_budget is not None else deciding
        self._made: LastUsed[SizeValues, CompiledGraph] = LastUsed(KEPT)
        self._alike: dict[
            SizeValues, CompiledGraph
        ] = {}  # of sizes that decide the same, the first
        self._launches: Printed = {}
        self._effort: Effort | None = None  # without a budget, that of all sizes

    @property
    def graph(self) -> Graph:
        """After the passes, where nothing is done for less memory. What none of them fused is a
        group by itself."""
        return self._after_passes(NO_EFFORT)

    def at(self, values: Mapping[str, int] | None = None) -> CompiledGraph:
        """Make kernels for every group, and a plan.

        Args:
            values: of the symbols of sizes; None: as they are at hand.

        Raises RoasteryError where a memory budget does not suffice, whatever is computed again.
        """
        if values is None:
            values = at_hand(self._given)
        key = tuple(sorted(values.items()))
        return self._made.get(key, lambda: self._like(values))

    def has_launches(self, values: Mapping[str, int]) -> bool:
        """Whether those of some sizes are there, so that only a plan is left to be made."""
        return self._deciding(self.graph, values) in self._alike

    def _like(self, values: Mapping[str, int]) -> CompiledGraph:
        if self._deciding is all_sizes:
            return self._compiled(values)
        deciding = self._deciding(self.graph, values)
        if deciding not in self._alike:
            self._alike[deciding] = self._compiled(values)
        return replace(self._alike[deciding], values=values)

    def _compiled(self, values: Mapping[str, int]) -> CompiledGraph:
        number = Evaluation(values).size
        launches_of = Alike(lambda node: self._lower(node, self._options, number, self._launches))

        def with_effort(effort: Effort) -> CompiledGraph:
            return self._with(effort, values, launches_of)

        if self._options.memory_budget is not None or not weighs(self._options, self._given):
            return with_least_memory(self._options, self.graph, with_effort)
        # Decided once: another size needs no other kernels, and depends on none before it.
        if self._effort is None and self._kept is not None:
            self._effort = self._kept.load()
        lowered_at = at_hand(self._given)
        if self._effort is None and any(values.get(k, v) != v for k, v in lowered_at.items()):
            self.at({**values, **lowered_at})
        if self._effort is not None:
            return with_effort(self._effort)
        made = with_least_memory(self._options, self.graph, with_effort)
        self._effort = next(e for e, graph in self._passed.items() if graph is made.graph)
        if self._kept is not None:
            self._kept.save(self._effort)
        return made

    def _with(self, effort: Effort, values: Mapping[str, int], launches_of: Alike) -> CompiledGraph:
        graph, number = self._after_passes(effort), Evaluation(values).size
        with collector_paused():
            printed = {node: launches_of(node) for node in kernel_nodes(graph)}
            alone = tuple(launch for group in printed.values() for launch in group)
            frugal = self._options.memory_budget is not None
            plan, launches = with_bundles(plan_graph(graph, printed), alone, number, frugal=frugal)
            return CompiledGraph(graph, launches, alone, with_early_copies(plan), values)

    def _after_passes(self, effort: Effort) -> Graph:
        if effort not in self._passed:
            with collector_paused():
                after = run_keeping_ports(self._given, self._options, self._observers, effort)
                alone = fuse(after, PassContext(self._options, Fuel(0)))
                self._passed[effort] = with_places(alone)
        return self._passed[effort]


def compile_graph(
    graph: Graph, lower: Lower, options: CompileOptions, observers: Sequence[Observer] = ()
) -> CompiledGraph:
    """A graph compiled at the sizes at hand; see :class:`GraphCompiler`."""
    return GraphCompiler(graph, lower, options, observers).at()

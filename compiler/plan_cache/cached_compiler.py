"""A graph compiled for whatever sizes are asked for, or read back where it was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from compiler.compiled import CompiledGraph
from compiler.last_used import LastUsed
from compiler.options import CompileOptions
from ir.graph import Graph
from ir.graph_sizes import at_hand

from .code_version import code_digest, digest_at_start
from .kept_plan import RunnablePlan, decoded, encoded
from .key import PlanKeys
from .plan_store import PlanStore

if TYPE_CHECKING:
    from compiler.pipeline import GraphCompiler

MakeCompiler = Callable[[Graph, CompileOptions], "GraphCompiler"]

KEPT = 8
"""For so many sizes, those that were used last, a graph has its plan at hand."""


class CachedCompiler:
    """For who runs plans and looks at nothing else. Passes run when a plan is not in the cache.

    Args:
        make: the compiler of a graph.
        store: None: nothing is kept between processes.
        beside: tells what else decides now: choices that were measured.
    """

    def __init__(
        self,
        graph: Graph,
        options: CompileOptions,
        make: MakeCompiler,
        store: PlanStore | None,
        beside: Callable[[], str] = str,
    ) -> None:
        self._graph = replace(graph)  # what is kept for a graph must not keep it
        self._options = options
        self._keys = PlanKeys(self._graph, options)
        self._make = make
        self._store = store
        self._beside = beside
        self._compiler: GraphCompiler | None = None
        self._made: LastUsed[tuple[tuple[str, int], ...], RunnablePlan] = LastUsed(KEPT)

    def at(self, values: Mapping[str, int] | None = None) -> RunnablePlan:
        """``values``: of the symbols of sizes; None: as they are at hand."""
        if values is None:
            values = at_hand(self._graph)
        sizes = tuple(sorted(values.items()))
        return self._made.get(sizes, lambda: self._plan(values))

    def _plan(self, values: Mapping[str, int]) -> RunnablePlan:
        if self._compiler is not None and self._compiler.has_launches(values):
            return _runnable(self._compiled(values))  # soon made: files would take longer
        store, key = self._store, self._key(values)
        if store is None or key is None:
            return _runnable(self._compiled(values))
        found = self._read(store, key, values)
        if found is None:
            compiled = self._compiled(values)
            if code_digest() == digest_at_start() and key == self._key(values):
                self._save(store, key, compiled)
            found = _runnable(compiled)
        return found

    def _key(self, values: Mapping[str, int]) -> str | None:
        return None if self._store is None else self._keys.at(values, self._beside())

    def _read(self, store: PlanStore, key: str, values: Mapping[str, int]) -> RunnablePlan | None:
        data = store.load(key)
        if data is None:
            return None
        try:
            return decoded(data, self._graph.nodes, values)
        except (ValueError, TypeError, KeyError, IndexError):
            store.tell(key)
            return None

    def _compiled(self, values: Mapping[str, int]) -> CompiledGraph:
        if self._compiler is None:
            self._compiler = self._make(self._graph, self._options)
        return self._compiler.at(values)

    def _save(self, store: PlanStore, key: str, compiled: CompiledGraph) -> None:
        data = encoded(compiled.plan, compiled.general_hosts, self._graph.nodes)
        if data is not None:
            store.save(key, data)


def _runnable(compiled: CompiledGraph) -> RunnablePlan:
    return RunnablePlan(compiled.plan, compiled.hosts)

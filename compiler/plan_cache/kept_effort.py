"""What is computed again for less memory, decided once for all processes.

To decide it a graph is compiled in several ways. Who wants the kernels themselves, and so has no
use for a kept plan, then compiles it in one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from compiler.effort import NO_EFFORT, UNASKED, Effort
from compiler.options import CompileOptions
from ir.graph import Graph
from ir.graph_sizes import at_hand

from .code_version import code_digest, digest_at_start
from .key import PlanKeys
from .plan_store import PlanStore

_KNOWN = (NO_EFFORT, *UNASKED)


class KeptEffort:
    """Of a graph, before its passes, at the sizes that it was lowered at.

    ``beside``: what else decides now: choices that were measured.
    """

    def __init__(
        self, graph: Graph, options: CompileOptions, store: PlanStore, beside: str = ""
    ) -> None:
        self._graph = replace(graph)  # who keeps this for a graph must not keep the graph
        self._options = options
        self._store = store
        self._beside = beside

    def load(self) -> Effort | None:
        """None where nothing was decided."""
        data = self._store.load(self._key) if self._key is not None else None
        if data is None:
            return None
        if len(data) != 1 or data[0] >= len(_KNOWN):
            self._store.tell(self._key or "")
            return None
        return _KNOWN[data[0]]

    def save(self, effort: Effort) -> None:
        """Not where the compiler's sources changed since this process began."""
        if self._key is not None and effort in _KNOWN and code_digest() == digest_at_start():
            self._store.save(self._key, bytes([_KNOWN.index(effort)]))

    @cached_property
    def _key(self) -> str | None:
        """Made when it is asked for: it takes the whole graph as text."""
        keys = PlanKeys(self._graph, self._options)
        return keys.at(at_hand(self._graph), f"effort {self._beside}")

"""What an executor makes of a graph, kept for the next time that the graph is bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from compiler.options import CompileOptions
from ir.graph import Graph

Made = TypeVar("Made")

_ITSELF = object()


class PerGraph(Generic[Made]):
    """Calls ``make`` once for each graph and options, as long as the graph is there.

    The graphs of a layer are bound again whenever a blob takes another shape.
    """

    def __init__(self, make: Callable[[Graph, CompileOptions], Made]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[Graph, dict[CompileOptions, Any]] = WeakKeyDictionary()

    def __call__(self, graph: Graph, options: CompileOptions) -> Made:
        known = self._kept.setdefault(graph, {})
        made = known.get(options)
        if made is None:
            made = self._make(graph, options)
            if getattr(made, "graph", None) is not graph:  # else it would keep the graph
                known[options] = _ITSELF if made is graph else made
        return cast(Made, graph if made is _ITSELF else made)

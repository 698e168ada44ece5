"""What a plan depends on, as a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from compiler.options import CompileOptions
from ir.graph import Graph
from ir.text import format_graph

from .code_version import digest_at_start

_OURS = ("ir.", "compiler.")


class PlanKeys:
    """Of a graph, before its passes, and options, at any sizes.

    Two graphs have one key if they differ in the places that nodes come from alone: those are no
    part of what is kept.
    """

    def __init__(self, graph: Graph, options: CompileOptions) -> None:
        self._graph = graph
        self._options = options

    def at(self, values: Mapping[str, int], beside: str = "") -> str | None:
        """None for what is not kept: what others than the compiler's own sources decide.

        ``beside``: what else decides.
        """
        begin = self._begin
        if begin is None:
            return None
        sizes = json.dumps([sorted(values.items()), beside])
        return hashlib.sha256(begin + sizes.encode()).hexdigest()

    @cached_property
    def _begin(self) -> bytes | None:
        options, code = self._options, digest_at_start()
        if code is None or options.passes is not None or options.fuel is not None:
            return None
        if not all(type(node.op).__module__.startswith(_OURS) for node in self._graph.nodes):
            return None
        parts = [code, json.dumps(options.json()), format_graph(self._graph, places=False)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()

"""A random graph with what it is run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compiler.passes.autodiff import differentiate
from ir.graph import Graph, Role
from ir.graph_sizes import graph_at
from ir.size import Evaluation, Scope
from ir.size.form import of_atom

from .arrays import NORMAL, QUARTERS, Content

_EXTENTS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20, 33)
_LARGEST = 40_000


@dataclass(frozen=True)
class Drawn:
    """``calls``: labels of host calls, in the order in which they ran. ``scope``: of symbols."""

    graph: Graph
    contents: tuple[Content, ...]
    calls: list[str]
    seed: int
    scope: Scope | None = None

    def at(self, values: Mapping[str, int]) -> Drawn:
        """With numbers for its symbols."""
        return replace(self, graph=graph_at(self.graph, values), scope=None)

    def values(self, count: int) -> list[dict[str, int]]:
        """What the symbols may be: what they are at hand, and up to so many others."""
        if self.scope is None:
            return [{}]
        rng = np.random.default_rng(self.seed)
        symbols = self.scope.symbols.values()
        found = [{s.key: s.value for s in symbols}]
        for _ in range(40):
            free = {s.key: int(rng.choice(_EXTENTS)) for s in symbols}
            values = {
                s.key: s.value if self.scope.is_fixed(of_atom(s)) else free[s.key] for s in symbols
            }
            if len(found) <= count and values not in found and self._fits(values):
                found.append(values)
        return found

    def _fits(self, values: Mapping[str, int]) -> bool:
        assert self.scope is not None
        if Evaluation(values).failing(self.scope.conditions):
            return False
        types = [v.type for v in graph_at(self.graph, values).values()]
        return all(min(t.shape, default=0) >= 0 and t.size <= _LARGEST for t in types)

    def arrays(self, *, double: bool = True) -> list[np.ndarray]:
        """Input arrays; the same ones every time."""
        return self._made(self.contents, double=double)

    def scattered(self) -> list[np.ndarray]:
        """As :meth:`arrays`, where no two numbers are equal by design."""
        return self._made([NORMAL if c.smooth else c for c in self.contents], double=True)

    def _made(
        self, contents: tuple[Content, ...] | list[Content], *, double: bool
    ) -> list[np.ndarray]:
        rng = np.random.default_rng(self.seed)
        return [
            content.array(port.value.type, rng, double=double)
            for port, content in zip(self.graph.inputs, contents, strict=True)
        ]

    def taken_calls(self) -> list[str]:
        """The calls since this was last asked."""
        found = list(self.calls)
        self.calls.clear()
        return found

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of an example that fails."""
        printer.text(f"seed {self.seed}, {self.graph}")


def trained(drawn: Drawn) -> Drawn:
    """With backward: diffs of parameters are added up, those of data are results."""
    graph = drawn.graph
    floats = [p for p in graph.inputs if p.value.type.dtype.is_float]
    whole = differentiate(
        graph,
        parameters=[p.name for p in floats if p.role is Role.PARAMETER],
        diffs={p.name: p.value for p in floats if p.role is Role.DATA},
    )
    more = len(whole.inputs) - len(graph.inputs)
    return replace(drawn, graph=whole, contents=(*drawn.contents, *[QUARTERS] * more))

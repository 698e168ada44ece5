"""A random graph with what it is run on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compiler.passes.autodiff import differentiate
from ir.graph import Graph, Role

from .arrays import NORMAL, QUARTERS, Content


@dataclass(frozen=True)
class Drawn:
    """``calls``: labels of host calls, in the order in which they ran."""

    graph: Graph
    contents: tuple[Content, ...]
    calls: list[str]
    seed: int

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

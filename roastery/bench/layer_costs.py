"""What layers cost, the most expensive first: as a table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ir.text_table import text_table

_HEAD = ("layer", "type", "forward ms", "backward ms", "ms", "percent", "GFLOP/s", "of peak")
_NAMES = 2
"""The first columns, which every table has; the others hold numbers."""


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Of a layer, or of a whole net.

    Attributes:
        forward, backward: mean milliseconds of an iteration.
        forward_work, backward_work: multiply-adds of one.
    """

    layer: str
    type: str
    forward: float
    backward: float
    forward_work: int = 0
    backward_work: int = 0

    @property
    def milliseconds(self) -> float:
        """Of both passes."""
        return self.forward + self.backward

    @property
    def multiply_adds(self) -> int:
        """Of both passes."""
        return self.forward_work + self.backward_work

    @property
    def gflops(self) -> float | None:
        """10^9 operations a second, a multiply-add counted as two; None where there are none."""
        if not (self.multiply_adds and self.milliseconds):
            return None
        return 2e-6 * self.multiply_adds / self.milliseconds


@dataclass(frozen=True)
class NetCosts:
    """What a timed net costs.

    Attributes:
        layers: in the net's order; none where it was timed as a whole.
        whole: of an iteration. total: milliseconds of all of them.
        peak: operations a second that the device can do; 0 where it is not known.
    """

    net: str
    device: str
    phase: str
    iterations: int
    layers: Sequence[LayerCost]
    whole: LayerCost
    total: float
    peak: float = 0.0

    def table(self) -> str:
        """Layers by what they cost, and all of them."""
        by_cost = sorted(self.layers, key=lambda cost: -cost.milliseconds)
        rows = [_HEAD, *(self._row(cost) for cost in [*by_cost, self.whole])]
        used = [i for i in range(len(_HEAD)) if any(row[i] for row in rows[1:])]
        shown = [[row[i] for i in used] for row in rows]
        return text_table(shown, numbers=range(_NAMES, len(used)))

    def document(self) -> dict[str, object]:
        """The same for JSON: ``layers`` by what they cost."""
        by_cost = sorted(self.layers, key=lambda cost: -cost.milliseconds)
        return {
            "net": self.net,
            "device": self.device,
            "phase": self.phase,
            "iterations": self.iterations,
            "total_ms": self.total,
            "peak_gflops": 1e-9 * self.peak if self.peak else None,
            "whole": self._json(self.whole),
            "layers": [
                {"layer": cost.layer, "type": cost.type, **self._json(cost)} for cost in by_cost
            ],
        }

    def _percent(self, cost: LayerCost) -> float:
        """Of the time of all layers, which the loop over them does not count in."""
        if cost is self.whole:
            return 100.0
        every = sum(each.milliseconds for each in self.layers)
        return 100.0 * cost.milliseconds / every if every else 0.0

    def _share(self, cost: LayerCost) -> float | None:
        gflops = cost.gflops
        return 1e9 * gflops / self.peak if gflops is not None and self.peak else None

    def _row(self, cost: LayerCost) -> tuple[str, ...]:
        gflops, share = cost.gflops, self._share(cost)
        return (
            cost.layer,
            cost.type,
            f"{cost.forward:.3f}",
            f"{cost.backward:.3f}",
            f"{cost.milliseconds:.3f}",
            f"{self._percent(cost):.1f}",
            "" if gflops is None else f"{gflops:.3g}",
            "" if share is None else f"{share:.0%}",
        )

    def _json(self, cost: LayerCost) -> dict[str, object]:
        return {
            "forward_ms": cost.forward,
            "backward_ms": cost.backward,
            "ms": cost.milliseconds,
            "percent": self._percent(cost),
            "multiply_adds": cost.multiply_adds,
            "forward_multiply_adds": cost.forward_work,
            "backward_multiply_adds": cost.backward_work,
            "gflops": cost.gflops,
            "of_peak": self._share(cost),
        }

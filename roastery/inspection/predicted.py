"""How long a net's kernels would take on a GPU, as the cost model has it: a table, and as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.compiled import CompiledGraph
from compiler.target import Target
from compiler.triton.cost.prediction import Prediction, predictions
from ir.text_table import text_table

_LIMITS = 3  # that the summary names


@dataclass(frozen=True, slots=True)
class KernelRow:
    """Launches that are alike: the first of them, how often they run, and all their numbers in sum.

    Attributes:
        label: of the first. launches: how many there are of others, too.
        seconds: predicted. least: the roofline. nbytes, flops: that are moved and multiplied.
    """

    label: str
    launches: int
    seconds: float
    least: float
    nbytes: int
    flops: int
    limit: str

    def json(self) -> dict[str, Any]:
        return {
            "kernel": self.label,
            "launches": self.launches,
            "predicted_ms": 1e3 * self.seconds,
            "roofline_ms": 1e3 * self.least,
            "bytes": self.nbytes,
            "flops": self.flops,
            "bound_by": self.limit,
        }


@dataclass(frozen=True)
class PredictedNet:
    """A compiled net on a device. ``rows``: what takes longest first."""

    target: Target
    precision: str
    rows: Sequence[KernelRow]

    @property
    def launches(self) -> int:
        return sum(row.launches for row in self.rows)

    @property
    def seconds(self) -> float:
        return sum(row.seconds for row in self.rows)

    @property
    def least(self) -> float:
        return sum(row.least for row in self.rows)

    @property
    def nbytes(self) -> int:
        return sum(row.nbytes for row in self.rows)

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.rows)

    @property
    def limits(self) -> dict[str, float]:
        """Seconds by what binds, the most first."""
        found: dict[str, float] = {}
        for row in self.rows:
            found[row.limit] = found.get(row.limit, 0.0) + row.seconds
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def __str__(self) -> str:
        """All kernels as a table, and sums."""
        head = ("predicted ms", "roofline ms", "MB", "GFLOP", "bound by", "kernel")
        lines = [head, *map(_cells, self.rows)] if self.rows else []
        shown = text_table(lines) if lines else ""
        return f"{self.summary}\n{shown}"

    @property
    def summary(self) -> str:
        """In a line."""
        device = f"{self.target.name} ({self.target})"
        if not self.rows:
            return f"predicted for {device}: nothing runs there"
        parts = [f"{1e3 * s:.3g} ms by {what}" for what, s in [*self.limits.items()][:_LIMITS]]
        many = "" if self.launches == 1 else "es"
        return (
            f"predicted for {device} in {self.precision}, nothing measured: "
            f"{1e3 * self.seconds:.4g} ms for {self.launches} launch{many} (roofline "
            f"{1e3 * self.least:.4g} ms), {1e-9 * self.nbytes:.4g} GB, "
            f"{1e-9 * self.flops:.4g} GFLOP; bound {', '.join(parts)}"
        )

    def json(self) -> dict[str, Any]:
        return {
            "target": str(self.target),
            "device": self.target.name,
            "precision": self.precision,
            "measured": False,
            "launches": self.launches,
            "predicted_ms": 1e3 * self.seconds,
            "roofline_ms": 1e3 * self.least,
            "bytes": self.nbytes,
            "flops": self.flops,
            "bound_ms": {what: 1e3 * seconds for what, seconds in self.limits.items()},
            "kernels": [row.json() for row in self.rows],
        }


def predicted_net(compiled: CompiledGraph, target: Target, precision: str) -> PredictedNet:
    """Of all that a compiled graph launches, on a device; what the host does is left out."""
    alike: dict[object, list[Prediction]] = {}
    for row in predictions(compiled, target):
        launch = row.launch
        key = (launch.kernel, launch.config, row.time, row.nbytes, row.flops, row.least)
        alike.setdefault(key, []).append(row)
    rows = sorted(map(_row, alike.values()), key=lambda row: -row.seconds)
    return PredictedNet(target, precision, rows)


def _row(alike: Sequence[Prediction]) -> KernelRow:
    first, times = alike[0], sum(row.times for row in alike)
    return KernelRow(
        first.launch.label,
        times,
        times * first.time.seconds,
        times * first.least,
        times * first.nbytes,
        times * first.flops,
        first.time.limit.value,
    )


def _cells(row: KernelRow) -> tuple[str, ...]:
    many = f"{row.label} (x{row.launches})" if row.launches > 1 else row.label
    return (
        f"{1e3 * row.seconds:12.4f}",
        f"{1e3 * row.least:11.4f}",
        f"{1e-6 * row.nbytes:.2f}",
        f"{1e-9 * row.flops:.3f}" if row.flops else "",
        row.limit,
        many,
    )


def predicted_json(net: str, found: Iterable[PredictedNet]) -> dict[str, Any]:
    """Of a net on several devices."""
    return {"net": net, "predictions": [one.json() for one in found]}

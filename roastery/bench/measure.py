"""Runs groups alone on a device: how wrong, how fast, and how near to what it can do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from runtime.backends.backend import Backend, prepare, synchronize
from runtime.backends.speed import Speed

from .groups import KernelGroup, When
from .lone_group import LoneRun, lone_graph

Limit = Literal["arithmetic", "memory"]

_CALLS = 1000
_SECONDS = 0.02
"""A measurement takes so many calls at most, or so long."""


@dataclass(frozen=True, slots=True)
class KernelResult:
    """What was found of a group.

    Attributes:
        kernel: its label. layer: where it comes from. count: how often the net has it.
        error: the largest of its results, see :meth:`.lone_group.LoneRun.errors`.
        seconds: of one call, the median; None where the device's times say nothing.
        multiply_adds, nbytes: what there is to do. operations: and that is no multiply-add of a
            contraction; 0 where nobody knows how long the device takes for one.
        limit: of what the device can do, what binds; share: the time that it takes at least, in
            the same moment, over its own. None where it is not known.
    """

    device: str
    kernel: str
    layer: str
    when: When
    count: int
    error: float
    multiply_adds: int
    nbytes: int
    operations: int = 0
    seconds: float | None = None
    limit: Limit | None = None
    share: float | None = None

    @property
    def gflops(self) -> float | None:
        """10^9 operations a second, a multiply-add counted as two."""
        return self.seconds and 2e-9 * self.multiply_adds / self.seconds

    @property
    def gigabytes(self) -> float | None:
        """10^9 bytes a second."""
        return self.seconds and 1e-9 * self.nbytes / self.seconds

    def json(self) -> dict[str, object]:
        return {**asdict(self), "gflops": self.gflops, "gigabytes": self.gigabytes}


def measured(
    groups: Sequence[KernelGroup],
    backend: Backend,
    options: CompileOptions,
    speed: Speed | None,
    repeats: int,
) -> Iterator[KernelResult]:
    """A row for each group, as soon as it is known.

    Args:
        options: with which the groups were made.
        speed: what the device can do; None where that is not known.
        repeats: of measurements, each of several calls; 0: take no times.

    Raises RoasteryError where a kernel does not compile or run.
    """
    options = replace(options, passes=(), fuel=None)
    graphs = [lone_graph(group.node) for group in groups]
    prepare(backend, ((graph, None) for graph in graphs), options)
    for group, graph in zip(groups, graphs, strict=True):
        run = LoneRun(group.at_hand, group.graph.producers)
        bound = backend.bind(graph, run.inputs, run.outputs, options)
        bound.run()
        synchronize(backend)
        row = KernelResult(
            backend.name,
            group.label,
            group.node.location.layer,
            group.when,
            group.count,
            max(run.errors(), default=0.0),
            group.multiply_adds,
            group.nbytes,
            group.at_hand.operations(speed.steps) if speed else 0,
        )
        if repeats:
            row = _timed(row, bound.run, backend, speed, repeats)
        yield row


def _timed(
    row: KernelResult,
    run: Callable[[], None],
    backend: Backend,
    speed: Speed | None,
    repeats: int,
) -> KernelResult:
    """With medians. Clocks change within a second, so each measurement is held against what the
    device can do right before it and right after."""
    once = _of_calls(run, backend, 1)
    calls = max(1, min(_CALLS, int(_SECONDS / max(once, 1e-9))))
    limit = None if speed is None else _limit(row, speed)
    if speed is None or limit is None:
        seconds = [_of_calls(run, backend, calls) for _ in range(repeats)]
        return replace(row, seconds=statistics.median(seconds))
    least = [_least_time(row, limit, speed.now())]
    seconds = []
    for _ in range(repeats):
        seconds.append(_of_calls(run, backend, calls))
        least.append(_least_time(row, limit, speed.now()))
    shares = [(a + b) / 2 / c for a, b, c in zip(least, least[1:], seconds, strict=False)]
    return replace(
        row, seconds=statistics.median(seconds), limit=limit, share=statistics.median(shares)
    )


def _of_calls(run: Callable[[], None], backend: Backend, calls: int) -> float:
    """Seconds of each."""
    began = time.perf_counter()
    for _ in range(calls):
        run()
    synchronize(backend)
    return (time.perf_counter() - began) / calls


def _limit(row: KernelResult, speed: Speed) -> Limit | None:
    """What binds; None where nothing is known of either."""
    known: list[Limit] = []
    if row.multiply_adds + row.operations and speed.operations:
        known.append("arithmetic")
    if row.nbytes and speed.bytes_copied(row.nbytes):
        known.append("memory")
    return max(known, key=lambda limit: _least_time(row, limit, speed), default=None)


def _least_time(row: KernelResult, limit: Limit, speed: Speed) -> float:
    """Seconds that a device takes at least."""
    if limit == "arithmetic":
        return 2 * (row.multiply_adds + row.operations) / speed.operations
    return row.nbytes / speed.bytes_copied(row.nbytes)


def check_tolerance(tolerance: float) -> None:
    """Raises RoasteryError for one that no error could exceed or keep."""
    if not 0 < tolerance < 1:
        raise RoasteryError(f"tolerance {tolerance}", hint="a number between 0 and 1")

"""A plan bound to host memory, whose launches C runs one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from compiler.plan.plan import Plan
from ir.graph import PortKey
from ir.op import Op

from ..backends.host_graph import HostGraph, Run
from ..memory.buffers import Buffer
from .launcher import CLauncher
from .launches import LaunchTable


class CpuGraph(HostGraph):
    """Steps are tables of launches, and what runs on the host between them."""

    def __init__(
        self,
        plan: Plan,
        hosts: Mapping[int, Op],
        launcher: CLauncher,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self._copies = launcher
        super().__init__(plan, hosts, launcher, inputs, outputs)
        self.steps = list(_joined(self.steps, launcher))

    def _copy(self, source: np.ndarray, target: np.ndarray) -> Run:
        return self._copies.copy(source, target)


def _joined(steps: Iterable[Run], launcher: CLauncher) -> Iterator[Run]:
    """Launches that follow each other as one step."""
    waiting: list[LaunchTable] = []
    for step in steps:
        if isinstance(step, LaunchTable):
            waiting.append(step)
            continue
        if waiting:
            yield launcher.joined(waiting)
        waiting = []
        yield step
    if waiting:
        yield launcher.joined(waiting)

"""A plan bound to host memory, whose launches C runs one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from compiler.plan.plan import Plan
from ir.ports import PortKey

from ..backends.host_graph import HostGraph, Run
from ..memory.buffers import Buffer
from .launcher import CLauncher
from .launches import LaunchTable

if TYPE_CHECKING:
    from ir.op import Op


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
        self._launcher_in_c = launcher
        super().__init__(plan, hosts, launcher, inputs, outputs)

    def _joined(self, steps: list[Run]) -> list[Run]:
        return list(_joined(steps, self._launcher_in_c))

    def _single(self) -> list[Run]:
        return list(_single(self.steps, self._launcher_in_c))

    def _copy(self, source: np.ndarray, target: np.ndarray) -> Run:
        return self._launcher_in_c.copy(source, target)

    def run_last(self, done: Callable[[PortKey], None]) -> None:
        """Run, for the last time.

        Args:
            done: told of each input after the last step that reads it. Nothing here refers to its
                memory any more.
        """
        last = dict.fromkeys((port.buffer for port in self.plan.inputs), -1)
        for number, step in enumerate(self.plan.plain_steps):
            last.update((buffer, number) for buffer in step.uses if buffer in last)
        read: dict[int, list[PortKey]] = {}
        for port in self.plan.inputs:
            read.setdefault(last[port.buffer], []).append(port.key)
        waiting = self._single()[::-1]
        self.steps, self._calling = [], ((), [[]])
        self._memory.clear()
        for number in range(-1, len(waiting)):
            if number >= 0:
                waiting.pop()()
            for key in read.get(number, ()):
                done(key)


def _single(steps: Iterable[Run], launcher: CLauncher) -> Iterator[Run]:
    """What :func:`_joined` has put together, one by one."""
    for step in steps:
        if isinstance(step, LaunchTable):
            yield from (launcher.alone(launch) for launch in step.launches)
        else:
            yield step


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

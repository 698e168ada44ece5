"""Measures the candidates of groups, and keeps what was best."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from compiler.kernel import Launch
from compiler.kernels.choice import Choice
from compiler.triton.compile import CompileError
from compiler.triton.tuned.entry import TunedEntry
from compiler.triton.tuned.key import kernels_digest
from compiler.triton.tuned.store import TunedStore
from compiler.triton.tuned.table import TunedTable
from runtime.cuda.backend import CudaBackend
from runtime.cuda.kernel_timer import OperandsTooLarge

from .alone import measuring_alone
from .groups import TunableGroup

Told = Callable[[int, int], None]


@dataclass
class TuningReport:
    """What was done so far.

    Attributes:
        groups: that there are. known: that were measured before.
        entries: those of all of them that are known by now, by key.
        measured: labels of those measured now, with what they took by the model's choice and by
            the best one, in microseconds. failed: why others were not.
        seconds: that it took. in_time: whether all were measured before the limit.
    """

    groups: int = 0
    known: int = 0
    entries: dict[str, TunedEntry] = field(default_factory=dict)
    measured: list[TunedEntry] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    in_time: bool = True


class Tuner:
    """Of a GPU.

    Args:
        limit: seconds that all takes at most, but for a compilation that has begun.
        again: measure what was measured before, too.
        clock: in seconds.
    """

    def __init__(
        self,
        backend: CudaBackend,
        store: TunedStore,
        limit: float,
        again: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._store = store
        self._again = again
        self._clock = clock
        self._began = clock()
        self._limit = limit
        self._timer = backend.kernel_timer()
        self._device = backend.session.device.properties.index
        self.report = TuningReport()

    def tune(self, groups: Sequence[TunableGroup], told: Told) -> None:
        """What is found is kept at once, and in :attr:`report`. May be called for more groups.

        Raises RoasteryError where the device fails.
        """
        first = self.report.groups
        self.report.groups += len(groups)
        for number, group in enumerate(groups):
            told(first + number, self.report.groups)
            if self._is_known(group):
                self.report.known += 1
            elif self._goes_on():
                self._measure(group)
            else:
                self.report.in_time = False
            self.report.seconds = self._clock() - self._began
        told(self.report.groups, self.report.groups)

    @property
    def table(self) -> TunedTable:
        """What is known of the groups that were asked for."""
        return TunedTable(self._backend.target, self._backend.driver, self.report.entries)

    def _goes_on(self) -> bool:
        return self._clock() - self._began < self._limit

    def _is_known(self, group: TunableGroup) -> bool:
        entry = self._store.find(group.key)
        if entry is None or self._again or entry.choice not in group.ways.choices:
            return False
        if kernels_digest(group.launches(entry.choice)) != entry.kernels:
            return False
        self.report.entries[group.key] = entry
        return True

    def _measure(self, group: TunableGroup) -> None:
        try:
            ways = self._compiled(group)
            compared = [launches for _, launches in ways]
            with measuring_alone(self._device):
                if self._store.look_again(group.key) and self._is_known(group):
                    self.report.known += 1  # somebody else has measured it meanwhile
                    return
                times = self._timer.times(compared, group.at, self._goes_on, group.wholes)
        except (CompileError, OperandsTooLarge) as error:
            self.report.failed[group.label] = error.message
            return
        both = zip(times, ways, strict=True)
        found = [(s, choice, launches) for s, (choice, launches) in both if s is not None]
        if len(found) < 2:
            return  # nothing was compared
        seconds, choice, launches = min(found, key=lambda each: each[0])
        entry = TunedEntry(
            choice, kernels_digest(launches), 1e6 * seconds, 1e6 * found[0][0], group.label[:200]
        )
        self._store.save(group.key, entry)
        self.report.entries[group.key] = entry
        self.report.measured.append(entry)

    def _compiled(self, group: TunableGroup) -> list[tuple[Choice, list[Launch]]]:
        """The candidates that compile. Raises CompileError where none does."""
        ways = [(choice, group.launches(choice)) for choice in group.candidates]
        try:
            self._backend.kernels.add(launch for _, launches in ways for launch in launches)
        except CompileError as error:
            bad = {(job.kernel, job.config) for job, _ in error.failures}
            ways = [w for w in ways if not bad & {(n.kernel, n.config) for n in w[1]}]
            if not ways:
                raise
            self._backend.kernels.add(launch for _, launches in ways for launch in launches)
        return ways

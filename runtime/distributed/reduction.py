"""Gradients averaged over ranks, in buckets, while backward still runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import inf

from ..memory.store import Store
from ..net.complete import Complete, ForwardEnds
from ..net.context import After
from .buckets import Bucket, buckets_of
from .ranks import Ranks
from .timeline import Timeline

_Place = tuple[int, float]
"""Of a :class:`Complete` in the order in which it comes about."""

_Calls = dict[int, dict[int | None, Callable[[], None]]]
"""What is called after which steps of which partitions."""


class GradientReduction:
    """Averages the diffs of a store. It is a :class:`DiffWatch`: give it to the last pass of an
    iteration, and call :meth:`finish` before somebody reads diffs.

    Args:
        limit: bytes of a bucket; by default what :func:`buckets_of` chooses.
        timeline: is told when what began and ended.

    Attributes:
        overlaps: whether buckets leave while backward runs; else :meth:`finish` sends them all,
            and until then each rank has its own diffs.
    """

    def __init__(
        self,
        ranks: Ranks,
        store: Store,
        limit: int | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.ranks = ranks
        self.overlaps = True
        self._store = store
        self._limit = limit
        self.timeline = timeline
        self._shares = -1  # of the store, when buckets were made
        self._complete: dict[str, Complete] = {}  # and what was known then
        self._buckets: list[Bucket] = []
        self._calls: _Calls = {}
        self._begun = 0  # so many buckets have left

    @property
    def buckets(self) -> list[Bucket]:
        """In the order in which they are averaged."""
        self._follow(self._complete)
        return self._buckets

    def _follow(self, complete: Mapping[str, Complete]) -> None:
        """Make buckets and calls, if the store or what is known of a pass is another one."""
        if self._shares == self._store.shares and self._complete == complete:
            return
        self._shares, self._complete = self._store.shares, dict(complete)
        # What no layer writes is known to be zero only after the pass.
        self._buckets = sorted(
            buckets_of(self._store, self._limit),
            key=lambda bucket: any(name not in complete for name in bucket.names),
        )
        self._calls = self._made(complete)

    def calls(self, complete: Mapping[str, Complete], forward: ForwardEnds) -> Mapping[int, After]:
        self._follow(complete)
        self._begun = 0
        calls = self._calls if self.overlaps else {}
        if self.timeline is not None and self.timeline.notes:
            return self._noted(self.timeline, calls, forward())
        return calls

    def _noted(
        self, timeline: Timeline, calls: Mapping[int, After], forward: int | None
    ) -> Mapping[int, After]:
        """The calls, and one that notes when forward ends."""
        if forward is None:
            timeline.end_forward()
            return calls
        begin = calls.get(0, {}).get(forward)

        def ended() -> None:
            timeline.end_forward()
            if begin is not None:
                begin()

        return {**calls, 0: {**calls.get(0, {}), forward: ended}}

    def _made(self, complete: Mapping[str, Complete]) -> _Calls:
        """A bucket leaves when it is complete, and those before it have left."""
        calls: _Calls = {}
        last: Complete | None = None
        for number, bucket in enumerate(self._buckets, 1):
            if any(name not in complete for name in bucket.names):
                break
            found = max((complete[name] for name in bucket.names), key=_place)
            if last is None or _place(found) > _place(last):
                last = found
            calls.setdefault(last.part, {})[last.step] = partial(self._begin, number)
        return calls

    def _begin(self, stop: int) -> None:
        """Begin with all buckets up to a number."""
        for bucket in self._buckets[self._begun : stop]:
            done = self.timeline.bucket(bucket) if self.timeline is not None else None
            self.ranks.average_later(bucket.diffs, done)
        self._begun = max(self._begun, stop)

    def finish(self) -> None:
        """Have the diffs of all ranks' records, or, where a device runs beside the host, queue
        what follows behind them."""
        if self.timeline is not None:
            self.timeline.end_pass()
        self._begin(len(self.buckets))
        self.ranks.finish_averages()
        self._begun = 0
        if self.timeline is not None:
            self.timeline.end_reduction()


def _place(complete: Complete) -> _Place:
    """Backward runs from the last partition to the first."""
    return -complete.part, inf if complete.step is None else complete.step

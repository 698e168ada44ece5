"""Reading ahead: batches are loaded on threads while the step computes.

Workers take turns in planning (`PlannedSource.plan`, in order) and load what they
planned side by side. Random choices belong to record numbers, so the batches are the
same for any number of threads.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from .array_pool import ArrayPool
from .planned import Allocate, PlannedSource
from .source import Batch, DataSource, Position, Shape


def read_ahead(source: DataSource, depth: int, allocate: Allocate | None) -> DataSource:
    """``source`` behind a `Prefetcher`, or itself where reading ahead makes no sense.

    Args:
        depth: batches kept ready or being loaded; Caffe's ``prefetch``.
        allocate: gives the arrays of the batches, for example in pinned memory; without it they
            share the memory of batches that nobody holds any more.
    """
    if not isinstance(source, PlannedSource) or not source.reads_ahead or source.share.is_idle:
        return source
    return Prefetcher(source, depth, allocate=allocate)


class Prefetcher:
    """A `DataSource` that is ahead of its reader. Owns ``source`` and closes it.

    Errors of the source are raised by the `next` that would have given the batch, and
    again by every later one. Threads end on `close`, when the object is dropped, and
    when the interpreter exits.
    """

    def __init__(
        self,
        source: PlannedSource[Any],
        depth: int = 4,
        threads: int | None = None,
        allocate: Allocate | None = None,
    ) -> None:
        if threads is None:
            threads = max(1, min(4, (os.cpu_count() or 1) - 1))
        self._position = source.position()
        depth = max(1, depth)
        self._shared = _Shared(source, depth, allocate or ArrayPool(depth + 2).allocate)
        self._waited = 0.0
        workers = [
            threading.Thread(
                target=_work,
                args=(self._shared,),
                daemon=True,
                name=f"data-{source.layer_config.layer or source.kind}-{i}",
            )
            for i in range(max(1, threads))
        ]
        for worker in workers:
            worker.start()
        self._finish = weakref.finalize(self, _finish, self._shared, workers)

    @property
    def tops(self) -> tuple[str, ...]:
        return self._shared.source.tops

    @property
    def wait_seconds(self) -> float:
        """How long `next` and `shapes` have waited for data, in all."""
        return self._waited

    def shapes(self) -> list[Shape]:
        return [array.shape for array in self._head().arrays]

    def next(self) -> Batch:
        batch = self._head()
        shared = self._shared
        with shared.lock:
            del shared.ready[shared.delivered]
            shared.delivered += 1
            shared.notify()
        self._position = batch.position
        return batch

    def position(self) -> Position:
        return dict(self._position)

    def restore(self, position: Mapping[str, Any]) -> None:
        shared = self._shared
        try:
            with shared.lock:
                shared.paused = True
            shared.wait_until(lambda: not shared.busy)
            with shared.lock:
                shared.source.restore(position)
                shared.ready.clear()
                shared.planned = shared.delivered = 0
                shared.failed = False
                self._position = dict(position)
        finally:
            with shared.lock:
                shared.paused = False
                shared.notify()

    def close(self) -> None:
        self._finish()

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _head(self) -> Batch:
        """The next batch, left where it is; waits until it is loaded."""
        shared = self._shared
        if shared.delivered not in shared.ready:
            started = time.perf_counter()
            try:
                shared.wait_until(lambda: shared.stopping or shared.delivered in shared.ready)
            finally:
                self._waited += time.perf_counter() - started
        with shared.lock:
            if shared.stopping:
                raise ValueError("the data source was closed")
            found = shared.ready[shared.delivered]
        if isinstance(found, BaseException):
            raise found
        return found


class _Shared:
    """What workers and reader share; everything below is guarded by ``lock``.

    A signal's handler may raise in the reader at any moment, and then no lock may stay behind, for
    which workers would wait for ever. A lock in a ``with`` does not; a `Condition` in one may, as
    its methods are interrupted, too: only workers, which handle no signals, wait for that.
    """

    def __init__(self, source: PlannedSource[Any], depth: int, allocate: Allocate) -> None:
        self.source = source
        self.depth = depth
        self.allocate = allocate
        self.lock = threading.RLock()
        self.condition = threading.Condition(self.lock)
        self.waiting: list[threading.Lock] = []  # each is released once, when something changed
        self.ready: dict[int, Batch | BaseException] = {}
        self.planned = 0
        self.delivered = 0
        self.planning = False
        self.busy = 0
        self.failed = False
        self.paused = False
        self.stopping = False

    def may_plan(self) -> bool:
        """Whether a worker should begin the next batch now."""
        return not (
            self.planning
            or self.paused
            or self.failed
            or self.planned >= self.delivered + self.depth
        )

    def notify(self) -> None:
        """Something changed; the lock is held."""
        self.condition.notify_all()
        while self.waiting:
            self.waiting.pop().release()

    def wait_until(self, true: Callable[[], bool]) -> None:
        """What a reader waits by, without the lock."""
        while True:
            with self.lock:
                if true():
                    return
                changed = threading.Lock()
                changed.acquire()
                self.waiting.append(changed)
            changed.acquire()


def _work(shared: _Shared) -> None:
    """One worker: plan the next batch, load it, put it in its place."""
    while True:
        with shared.lock:
            while not shared.stopping and not shared.may_plan():
                shared.condition.wait()
            if shared.stopping:
                return
            shared.planning = True
            shared.busy += 1
            number = shared.planned
            shared.planned += 1
        result: Batch | BaseException
        plan = None
        try:
            plan = shared.source.plan()
        except BaseException as error:
            result = error
        with shared.lock:
            shared.planning = False
            shared.failed = plan is None
            shared.notify()
        if plan is not None:
            try:
                result = Batch(shared.source.load(plan.work, shared.allocate), plan.position)
            except BaseException as error:
                result = error
        with shared.lock:
            shared.ready[number] = result
            shared.failed = shared.failed or isinstance(result, BaseException)
            shared.busy -= 1
            shared.notify()


def _finish(shared: _Shared, workers: list[threading.Thread]) -> None:
    """Stop the workers after the batch they are at, then close the source.

    The collector of cycles may call this on a worker, which then cannot wait for itself.
    """
    with shared.lock:
        shared.stopping = True
        shared.ready.clear()
        shared.notify()
    if threading.current_thread() not in workers:
        for worker in workers:
            worker.join()
        shared.source.close()

"""A bounded queue of requests, of which those that fit together run as one batch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ir.errors import RoasteryError

from .engine import Arrays, Engine
from .metrics import Metrics
from .problems import Problem, busy
from .rows import Rows

_LOGGER = logging.getLogger("roast_server")

Answer = dict[str, np.ndarray]


@dataclass(eq=False)
class _Waiting:
    """A request. ``kind``: what those that run with it share; ``rows``: of its arrays."""

    arrays: Arrays
    rows: int
    kind: object
    answer: asyncio.Future[Answer]
    arrived: float = field(default_factory=time.monotonic)


class BatchQueue:
    """Requests in the order of their arrival. One batch runs while the next gathers.

    The first of a batch waits for others until the batch is full or ``max_wait`` seconds have
    passed since it arrived; where a batch ran that long, it waits no more.
    """

    def __init__(
        self, engine: Engine, rows: Rows, metrics: Metrics, max_wait: float, max_queue: int
    ) -> None:
        self._engine, self._rows, self._metrics = engine, rows, metrics
        self._max_wait, self._max_queue = max_wait, max_queue
        self._waiting: deque[_Waiting] = deque()
        self._changed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "engine")
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def answer(self, arrays: Arrays, rows: int, timeout: float) -> Answer:
        """What the net says. Raises Problem: no room, too late, or the net cannot."""
        if len(self._waiting) >= self._max_queue:
            raise busy()
        kind = tuple((name, a.shape[1:]) for name, a in arrays.items())
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        item = _Waiting(arrays, rows, kind, future)
        self._waiting.append(item)
        self._tell()
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            if item in self._waiting:
                self._waiting.remove(item)
                self._tell()
            error = f"no answer within {timeout:g} s"
            raise Problem(504, "late", error, "the server has more to do than it can") from None

    async def close(self) -> None:
        """Nothing is answered any more."""
        self._task.cancel()
        for item in self._waiting:
            item.answer.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _tell(self) -> None:
        self._metrics.depth.set(len(self._waiting))
        self._changed.set()

    async def _serve(self) -> None:
        while True:
            batch = await self._gathered()
            try:
                await self._run(batch)
            except Exception as error:  # the queue must go on
                _LOGGER.exception("a batch failed")
                _fail(batch, error)

    async def _gathered(self) -> list[_Waiting]:
        """The next batch; waits for it."""
        while True:
            batch = self._fitting()
            if batch:
                left = batch[0].arrived + self._max_wait - time.monotonic()
                if left <= 0 or sum(item.rows for item in batch) >= self._rows.most:
                    break
            self._changed.clear()
            try:
                async with asyncio.timeout(left if batch else None):
                    await self._changed.wait()
            except TimeoutError:
                pass
        taken = set(batch)
        self._waiting = deque(item for item in self._waiting if item not in taken)
        self._tell()
        return batch

    def _fitting(self) -> list[_Waiting]:
        """The first that waits, and those after it that can run with it."""
        batch: list[_Waiting] = []
        left = self._rows.most
        for item in self._waiting:
            if batch and (item.kind != batch[0].kind or item.rows > left):
                continue
            batch.append(item)
            left -= item.rows
            if left <= 0:
                break
        return batch

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        try:
            parts = await loop.run_in_executor(self._thread, self._compute, batch)
        except RoasteryError as error:
            if len(batch) > 1:  # one of them may be what it cannot have
                for item in batch:
                    await self._run([item])
                return
            hint = error.hint or "/info says what the net takes"
            _fail(batch, Problem(422, "input", error.message, hint))
            return
        for item, part in zip(batch, parts, strict=True):
            if not item.answer.done():
                item.answer.set_result(part)

    def _compute(self, batch: Sequence[_Waiting]) -> list[Answer]:
        """In the engine's thread."""
        began = time.perf_counter()
        results = self._engine.run(self._rows.join([item.arrays for item in batch]))
        self._metrics.run_seconds.observe(time.perf_counter() - began)
        self._metrics.batch_rows.observe(sum(item.rows for item in batch))
        parts, start = [], 0
        for item in batch:
            parts.append(self._rows.part(results, start, item.rows))
            start += item.rows
        return parts


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for item in batch:
        if not item.answer.done():
            item.answer.set_exception(error)

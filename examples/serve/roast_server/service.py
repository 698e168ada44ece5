"""A net that is served: loaded, asked, told of, stopped."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

import roastery
from runtime.data.image_limit import limit_image_pixels

from .answers import array_answer
from .batching import Answer, BatchQueue
from .bodies import read_body
from .engine import Engine
from .inputs import Inputs, checked_inputs, most_numbers
from .metrics import Metrics
from .pictures import PictureRules
from .problems import busy, not_ready, stopping
from .rows import Rows, find_rows
from .settings import Settings
from .uploads import parts_of, read_upload

_LOGGER = logging.getLogger("roast_server")
_READERS = 2
"""Threads that decode pictures and JSON; each may hold a large one."""


class _Loaded:
    """What there is once the net is loaded."""

    def __init__(self, engine: Engine, rows: Rows, metrics: Metrics, settings: Settings) -> None:
        self.engine, self.rows = engine, rows
        self.pictures = PictureRules(engine, rows)
        wait = settings.max_wait_ms / 1000
        self.queue = BatchQueue(engine, rows, metrics, wait, settings.max_queue)


class Service:
    """``stopping``: no request is accepted any more."""

    def __init__(self, settings: Settings, load: Callable[[], Engine]) -> None:
        self._settings, self._load = settings, load
        self.metrics = Metrics()
        self.stopping = False
        self._loaded: _Loaded | None = None
        self._readers = ThreadPoolExecutor(_READERS, "reader")
        self._in_progress = 0
        self._idle = asyncio.Event()
        self._idle.set()
        limit_image_pixels(settings.max_pixels)

    async def load(self) -> None:
        """Load the net and try how its requests can share a run."""
        loop = asyncio.get_running_loop()
        engine, rows = await loop.run_in_executor(None, self._prepare)
        self._loaded = _Loaded(engine, rows, self.metrics, self._settings)
        self.metrics.ready.set(1)
        how = f"{rows.sharing.value}, at most {rows.most}"
        _LOGGER.info("ready: %s on %s; batches: %s", engine.name, engine.device, how)

    def _prepare(self) -> tuple[Engine, Rows]:
        engine = self._load()
        return engine, find_rows(engine, self._settings.max_batch)

    def loaded(self) -> _Loaded:
        """Raises Problem before it is."""
        if self._loaded is None:
            raise not_ready()
        return self._loaded

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Room for a request, before its body is read. Raises Problem where there is none."""
        if self.stopping:
            raise stopping()
        most = self.loaded().rows.most
        if self._in_progress >= self._settings.max_queue + most:
            raise busy()
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._in_progress += change
        self.metrics.in_progress.set(self._in_progress)
        if self._in_progress:
            self._idle.clear()
        else:
            self._idle.set()

    async def drained(self, timeout: float) -> bool:
        """Wait until nothing is in progress; whether it came to that."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def predict(self, request: Request, top: int, threshold: float, output: str) -> Response:
        """Raises Problem."""
        loaded, settings = self.loaded(), self._settings
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await read_body(request, settings.max_body, settings.read_timeout)
        parts = []
        if kind == "multipart/form-data":
            most = max(loaded.rows.most, len(loaded.engine.inputs))
            parts = await parts_of(request, body, most)
        read = asyncio.get_running_loop().run_in_executor
        names, inputs, sizes = await read(self._readers, self._inputs, kind, body, parts)
        results = await loaded.queue.answer(inputs.arrays, inputs.rows, settings.run_timeout)
        if not sizes:
            accept = request.headers.get("accept", "")
            return await read(
                self._readers, array_answer, results, accept, output, settings.max_values
            )
        return JSONResponse(self._said(names, sizes, results, top, threshold))

    def _inputs(
        self, kind: str, body: bytes, parts: list[tuple[str, str, bytes]]
    ) -> tuple[list[str], Inputs, list[tuple[int, int]]]:
        """Names of pictures, inputs, and sizes of pictures."""
        loaded, settings = self.loaded(), self._settings
        inputs, most = loaded.engine.inputs, most_numbers(loaded.engine, loaded.rows)
        most = None if settings.any_size else most
        upload = read_upload(kind, body, parts, inputs, settings.max_depth, most)
        arrays, sizes = upload.arrays, []
        if upload.pictures:
            arrays, sizes = loaded.pictures.input_of(upload.pictures)
        checked = checked_inputs(arrays, loaded.engine, loaded.rows, settings.any_size)
        return [name for name, _ in upload.pictures], checked, sizes

    def _said(
        self,
        names: list[str],
        sizes: list[tuple[int, int]],
        results: Answer,
        top: int,
        threshold: float,
    ) -> dict[str, Any]:
        pictures = self.loaded().pictures
        said: dict[str, Any] = {
            "predictions": [
                {"file": name, **pictures.said(row, results, size, top, threshold)}
                for row, (name, size) in enumerate(zip(names, sizes, strict=True))
            ]
        }
        if pictures.guessed:
            said["note"] = "the file does not say how pictures become its input; see /info"
        return said

    def info(self) -> dict[str, Any]:
        """What clients may want to know of the net. Raises Problem before it is loaded."""
        loaded, settings = self.loaded(), self._settings
        engine, rows = loaded.engine, loaded.rows
        packages = ("fastapi", "numpy", "uvicorn")
        return {
            "name": engine.name,
            "device": engine.device,
            "inputs": {n: port.json(settings.any_size) for n, port in engine.inputs.items()},
            "outputs": {n: port.json(settings.any_size) for n, port in engine.outputs.items()},
            "labels": list(engine.pictures.labels),
            "pictures": loaded.pictures.taken,
            "batches": {"how": rows.sharing.value, "sizes": list(rows.sizes), "most": rows.most},
            "remembers": engine.stateful,
            "limits": {
                "body": settings.max_body,
                "pixels": settings.max_pixels,
                "depth": settings.max_depth,
                "values": settings.max_values,
                "queue": settings.max_queue,
            },
            "versions": {
                "roastery": roastery.__version__,
                "python": platform.python_version(),
                **{name: version(name) for name in packages},
            },
            "made_by": dict(engine.versions),
        }

    async def close(self) -> None:
        if self._loaded is not None:
            await self._loaded.queue.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

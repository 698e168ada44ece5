"""The paths of the server."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from .metrics import Metrics
from .problems import Problem, stopping
from .service import Service

_LOGGER = logging.getLogger("roast_server")


def make_app(service: Service, failed: Callable[[BaseException], None]) -> FastAPI:
    """``failed`` is told why the net cannot be loaded."""

    def done(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed(error)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(service.load())
        loading.add_done_callback(done)
        yield
        loading.cancel()
        await service.close()

    app = FastAPI(title="Roast server", lifespan=lifespan, docs_url=None, redoc_url=None)
    _add_problems(app, service.metrics)

    @app.post("/predict")
    async def predict(
        request: Request,
        top: Annotated[int, Query(ge=1, le=1000)] = 5,
        threshold: Annotated[float, Query(ge=0, le=1)] = 0.5,
        output: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """Pictures or arrays in; classes, objects or arrays out."""
        began = time.perf_counter()
        status = 500
        try:
            async with service.admitted():
                response = await service.predict(request, top, threshold, output)
            status = response.status_code
            return response
        except Problem as problem:
            status = problem.status
            raise
        finally:
            service.metrics.requests.labels(str(status)).inc()
            service.metrics.seconds.observe(time.perf_counter() - began)

    @app.get("/info")
    async def info() -> dict[str, Any]:
        """What the net takes and gives."""
        return service.info()

    @app.get("/metrics")
    async def metrics() -> Response:
        """In Prometheus' text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        """The net is loaded, and the server is not stopping."""
        if service.stopping:
            raise stopping()
        service.loaded()
        return {"status": "ready"}

    return app


def _add_problems(app: FastAPI, metrics: Metrics) -> None:
    """Every error is JSON, and no inside of the server is in it."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        metrics.errors.labels(error.reason).inc()
        return JSONResponse(error.content, error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        hint = "POST /predict; GET /info, /metrics, /healthz, /readyz"
        content = {"error": str(error.detail), "hint": hint}
        return JSONResponse(content, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        metrics.errors.labels("query").inc()
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        hint = "top: 1 to 1000, threshold: 0 to 1, output: the name of one"
        return JSONResponse({"error": f"{place}: {first['msg']}"[:300], "hint": hint}, 422)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> Response:
        number = uuid.uuid4().hex[:12]
        metrics.errors.labels("internal").inc()
        _LOGGER.error("error %s: %s: %s", number, type(error).__name__, error)
        hint = f"the server's log tells more of error {number}"
        return JSONResponse({"error": "something went wrong in the server", "hint": hint}, 500)

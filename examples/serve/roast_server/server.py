"""uvicorn, with an end that loses no request."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from ir.errors import RoasteryError

from .app import make_app
from .engine import Engine
from .memory import keep_freed_memory
from .service import Service
from .settings import Settings

_LOGGER = logging.getLogger("roast_server")
_KEEP_ALIVE = 5
_BACKLOG = 512


class Server(uvicorn.Server):
    """SIGTERM and SIGINT: what was accepted is finished while everything new is answered 503. The
    second one ends it at once."""

    def __init__(self, config: uvicorn.Config, service: Service, timeout: float) -> None:
        super().__init__(config)
        self._service, self._timeout = service, timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self.code = 0

    def failed(self, error: BaseException) -> None:
        """The net cannot be loaded."""
        if isinstance(error, RoasteryError):
            _LOGGER.error("%s", error)
        else:
            _LOGGER.error("the net cannot be loaded", exc_info=error)
        self.code = 1
        self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """uvicorn would close the port at once, and end by the signal."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop, signal.Signals(sig).name)

    def _stop(self, name: str) -> None:
        if self._draining is not None:
            _LOGGER.warning("%s again: what is in progress is lost", name)
            self.code, self.should_exit, self.force_exit = 1, True, True
            return
        _LOGGER.info("%s: finishing what was accepted", name)
        self._service.stopping = True
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        if not await self._service.drained(self._timeout):
            _LOGGER.error("not finished within %g s: what is in progress is lost", self._timeout)
            self.code, self.force_exit = 1, True
        self.should_exit = True


def run(settings: Settings, load: Callable[[], Engine]) -> int:
    """Serve until a signal; the exit code."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # It tells of every form that a client breaks, which the answer says already.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    try:
        listening = _listen(settings.host, settings.port)
    except OSError as error:
        print(
            f"error: cannot listen on {settings.host}:{settings.port}: {error.strerror}\n"
            "hint: --port names another, --port 0 takes any",
            file=sys.stderr,
        )
        return 1
    keep_freed_memory()
    code = asyncio.run(_serve(settings, load, listening))
    sys.stdout.flush()
    sys.stderr.flush()
    if code:
        os._exit(code)  # a run of the net may be going on; nobody waits for it
    return 0


async def _serve(settings: Settings, load: Callable[[], Engine], listening: socket.socket) -> int:
    service = Service(settings, load)
    servers: list[Server] = []
    app = make_app(service, lambda error: servers[0].failed(error))
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="info" if settings.access_log else "warning",
        access_log=settings.access_log,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_KEEP_ALIVE,
        h11_max_incomplete_event_size=1 << 15,
    )
    servers.append(Server(config, service, settings.drain_timeout))
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    _LOGGER.info("listening on http://%s:%d", shown, port)
    await servers[0].serve([listening])
    return servers[0].code


def _listen(host: str, port: int) -> socket.socket:
    (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # asyncio turns Nagle's algorithm off only where it sees that the protocol is TCP; else
    # answers on connections that stay open are 40 ms late.
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening

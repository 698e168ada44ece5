"""``roastery view --serve``: the page over HTTP on this machine, with news while a training runs.

It answers whoever asks from this machine by its own name; a page of another site that a browser
shows cannot ask, since its name is another.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ir.errors import RoasteryError

from .curve_view import curve_view

HOST = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost")
_PATIENCE = 30  # seconds for one request

Version = tuple[tuple[str, int, int], ...]
_QUICK, _REST = 0.5, 4
"""Seconds, and how many times as long as reading took nothing is read where it took longer: a
training that shares the machine loses a fifth of a processor, however long its log is."""

WeightsOf = Callable[[str], dict[str, Any]]
"""What the page shows of a file of weights."""


@dataclass(frozen=True)
class _Read:
    """What a file held at a version. ``again``: when it may be read anew, by the clock that only
    goes ahead."""

    version: Version = ()
    value: Any = None
    note: str = ""
    again: float = 0.0


_NOTHING = _Read()


@dataclass
class LiveFiles:
    """The files that a training writes, and what they hold by now.

    Attributes:
        log: of the training. weights: a file of weights. prefix: of snapshots, the newest of
            which counts. Each may be empty.
    """

    log: str
    weights: str
    prefix: str
    weights_of: WeightsOf
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: dict[str, _Read] = field(default_factory=dict)

    def news(self, seen: str) -> dict[str, Any] | None:
        """What is newer than the version that a page has; None: nothing is."""
        newest = self._newest_weights()
        log, weights = _version([self.log]), _version([newest])
        if log and not log[0][2]:
            log = ()  # a training that has just begun has written nothing yet
        with self._lock:
            curves = self._kept("curves", log, lambda: curve_view(self.log))
            blobs = self._kept("weights", weights, lambda: self.weights_of(newest))
        told = repr((curves.version, blobs.version))
        version = hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
        if seen == version:
            return None
        notes = "; ".join(filter(None, (curves.note, blobs.note)))
        return {"version": version, "curves": curves.value, "weights": blobs.value, "note": notes}

    def _kept(self, name: str, version: Version, read: Callable[[], Any]) -> _Read:
        """What was read at this version, or shortly before; what a training is writing just now
        stays as it was."""
        if not version:
            return _NOTHING
        last = self._last.get(name, _NOTHING)
        if last.version != version and (began := time.monotonic()) >= last.again:
            note, value = "", last.value
            try:
                value = read()
            except RoasteryError as error:
                note = error.message
            ended = time.monotonic()
            rest = _REST * (ended - began) if ended - began > _QUICK else 0.0
            last = _Read(version, value, note, ended + rest)
            self._last[name] = last
        return last

    def _newest_weights(self) -> str:
        if not self.prefix:
            return self.weights
        found = newest_snapshots(self.prefix)
        return str(found[0]) if found else self.weights


def newest_snapshots(prefix: str) -> list[Path]:
    """Files of weights that ``snapshot_prefix`` began, the last iteration first."""
    folder, begin = os.path.split(prefix)
    found: list[tuple[int, Path]] = []
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    for name in names:
        for ending in (".caffemodel", ".caffemodel.h5"):
            number = name.removeprefix(f"{begin}_iter_").removesuffix(ending)
            if name == f"{begin}_iter_{number}{ending}" and number.isdecimal():
                found.append((int(number), Path(folder, name)))
    return [path for _, path in sorted(found, reverse=True)]


def _version(paths: Sequence[str]) -> Version:
    """Changes when one of the files does; empty where there is none."""
    found = []
    for path in filter(None, paths):
        try:
            stat = os.stat(path)
        except OSError:
            continue
        found.append((path, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = _PATIENCE
    server_version = "roastery"
    sys_version = ""

    def do_GET(self) -> None:
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if name not in _NAMES:
            self._answer(403, "text/plain", b"ask for localhost\n")
            return
        asked = urlsplit(self.path)
        if asked.path == "/":
            self._answer(200, "text/html; charset=utf-8", self.server.page)
        elif asked.path == "/live":
            news = self.server.files.news(parse_qs(asked.query).get("seen", [""])[0])
            if news is None:
                self._answer(204, "", b"")
            else:
                body = json.dumps(news, allow_nan=False).encode()
                self._answer(200, "application/json", body)
        else:
            self._answer(404, "text/plain", b"there is / and /live\n")

    def _answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news."""


class PageServer(ThreadingHTTPServer):
    """Serves one page on this machine alone.

    Args:
        port: 0: one that is free.

    Raises RoasteryError where the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, page: bytes, files: LiveFiles, port: int) -> None:
        self.page, self.files = page, files
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise RoasteryError(
                f"cannot serve on port {port}: {error.strerror}", hint="--port=0 takes a free one"
            ) from error

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Who went away before the answer came is no error."""

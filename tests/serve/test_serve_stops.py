"""The server ends well: what was accepted is answered, what cannot be loaded is told."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.roast_servers import ServerProcess, serving

ARRAY = np.zeros((1, 3, 6, 8)).tolist()


def waiting(client: Any) -> None:
    """Until a request waits in the queue."""
    end = time.monotonic() + 20
    while "roast_queue_depth 1.0" not in client.get("/metrics").text:
        assert time.monotonic() < end


def test_accepted_requests_are_answered(net_folder: Path) -> None:
    words = ["--max-wait-ms=800"]
    with serving(net_folder / "net.roast", *words) as client, ThreadPoolExecutor(1) as threads:
        accepted = threads.submit(client.post, "/predict", json=ARRAY)
        waiting(client)
        client.server.process.send_signal(signal.SIGTERM)
        client.server.wait_for("finishing")
        refused = client.post("/predict", json=ARRAY)
        assert refused.status_code == 503
        assert "stopping" in refused.json()["error"]
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert accepted.result().status_code == 200
        assert client.server.process.wait(20) == 0
        assert "Traceback" not in client.server.log


def test_it_does_not_wait_for_ever(net_folder: Path) -> None:
    words = ["--max-wait-ms=20000", "--drain-timeout=0.1"]
    with serving(net_folder / "net.roast", *words) as client, ThreadPoolExecutor(1) as threads:
        lost = threads.submit(client.post, "/predict", json=ARRAY)
        waiting(client)
        assert client.server.stop() == 1
        assert lost.exception() is not None or lost.result().status_code >= 500


def ended(server: ServerProcess) -> str:
    """The log of a process that cannot serve."""
    assert server.process.wait(60) == 1
    server.reader.join(20)
    assert "Traceback" not in server.log
    return server.log


def test_what_cannot_serve(packages: None, tmp_path: Path) -> None:
    """A file that is no artifact; a port that is taken; a file that is not there."""
    (tmp_path / "net.roast").write_bytes(b"no artifact")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        servers = [
            ServerProcess(tmp_path / "net.roast", "--port=0"),
            ServerProcess(tmp_path / "net.roast", f"--port={port}"),
            ServerProcess(tmp_path / "other.roast"),
        ]
        logs = [ended(server) for server in servers]
    assert "net.roast" in logs[0]
    assert f"error: cannot listen on 127.0.0.1:{port}" in logs[1]
    assert "error: there is no file" in logs[2]

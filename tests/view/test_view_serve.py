"""``roastery view --serve``: a page that keeps up with a training."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import roastery.caffe as caffe
from roastery.view.live import LiveFiles, newest_snapshots
from tests.support.browser import look_at
from tests.support.sample_nets import conv, inputs

NET = inputs(data=(1, 3, 8, 8)) + conv("c", "data", 2, 3)


def line(iteration: int, loss: float) -> str:
    return (
        f"I0210 13:39:2{iteration}.381027 25210 solver.cpp:239] Iteration {iteration}, "
        f"loss = {loss}\n"
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("train.log").write_text(line(0, 3.0) + line(1, 2.0))


@contextmanager
def serving(*flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own, and its port."""
    words = ["view", "net.prototxt", "--serve", "--targets=none", "--log=train.log", *flags]
    process = subprocess.Popen(
        [sys.executable, "-m", "roastery", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.fullmatch(r"serving http://127\.0\.0\.1:(\d+)/ until Ctrl-C\n", said)
        assert found is not None, said
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


def ask(port: int, path: str, host: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_curves_and_weights_are_news(tmp_path: Path) -> None:
    net = caffe.Net("net.prototxt", caffe.TEST)
    with serving("--snapshot_prefix=snap") as (_, port):
        status, page = ask(port, "/")
        assert status == 200 and b"connect-src 'self'" in page
        status, body = ask(port, "/live?seen=")
        first = json.loads(body)
        assert status == 200 and first["weights"] is None
        assert first["curves"][0]["curves"][0]["y"] == [3.0, 2.0]
        seen = "/live?seen=" + first["version"].replace(" ", "%20")
        assert ask(port, seen)[0] == 204
        with open("train.log", "a") as log:
            log.write(line(2, 1.0))
        net.save("snap_iter_9.caffemodel")
        net.save("snap_iter_10.caffemodel")
        second = json.loads(ask(port, seen)[1])
        assert second["curves"][0]["curves"][0]["y"] == [3.0, 2.0, 1.0]
        assert second["weights"]["file"] == "snap_iter_10.caffemodel"
        Path("snap_iter_11.caffemodel").write_bytes(b"half")
        third = json.loads(ask(port, "/live?seen=")[1])
        assert third["weights"]["file"] == "snap_iter_10.caffemodel" and third["note"]
        Path("train.log").unlink()
        assert ask(port, "/live?seen=")[0] == 200
        Path("train.log").write_text("")
        begun = json.loads(ask(port, "/live?seen=")[1])
        assert begun["curves"] is None and "train.log" not in begun["note"]


def test_files_that_take_long_are_read_seldom(tmp_path: Path) -> None:
    """And what was written in the meantime is news later."""
    read: list[str] = []

    def slowly(path: str) -> dict[str, Any]:
        time.sleep(0.6)
        read.append(Path(path).read_text())
        return {"text": read[-1]}

    path = tmp_path / "w"
    path.write_text("first")
    files = LiveFiles("", str(path), "", slowly)
    first = files.news("")
    assert first is not None and first["weights"] == {"text": "first"}
    path.write_text("the second")
    assert files.news(first["version"]) is None and read == ["first"]
    end = time.monotonic() + 20
    while (later := files.news(first["version"])) is None and time.monotonic() < end:
        time.sleep(0.05)
    assert later is not None and later["weights"] == {"text": "the second"}


def test_only_this_machine_by_its_name() -> None:
    with serving() as (_, port):
        assert ask(port, "/", "evil.example")[0] == 403
        assert ask(port, "/", f"localhost:{port}")[0] == 200
        assert ask(port, "/net.prototxt")[0] == 404
        assert ask(port, "/../net.prototxt")[0] == 404


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it(number: signal.Signals, code: int) -> None:
    with serving() as (process, port):
        ask(port, "/")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code
        assert out == "" and "Traceback" not in err and err.count("\n") == 1
    assert not list(Path().glob("*.html")), "nothing is written"


def test_a_taken_port_is_told() -> None:
    with serving() as (_, port):
        done = subprocess.run(
            [sys.executable, "-m", "roastery", "view", "net.prototxt", "--serve",
             "--targets=none", f"--port={port}"],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert done.returncode == 1 and f"port {port}" in done.stderr


def test_newest_snapshots(tmp_path: Path) -> None:
    for name in ("a_iter_2.caffemodel", "a_iter_10.caffemodel.h5", "a_iter_x.caffemodel",
                 "b_iter_99.caffemodel", "a_iter_3.solverstate"):  # fmt: skip
        (tmp_path / name).write_text("")
    found = newest_snapshots(str(tmp_path / "a"))
    assert [path.name for path in found] == ["a_iter_10.caffemodel.h5", "a_iter_2.caffemodel"]
    assert newest_snapshots(str(tmp_path / "none" / "a")) == []


def test_a_page_that_is_open_follows(browser: Any) -> None:
    with serving() as (process, port):
        looked = look_at(browser, f"http://127.0.0.1:{port}/")
        page = looked.page
        page.click("#tab-curves")
        page.wait_for_selector("svg.curve")
        assert "train loss 2" in page.locator("#content").inner_text()
        with open("train.log", "a") as log:
            log.write(line(2, 0.5))
        page.wait_for_function(
            "() => document.getElementById('content').innerText.includes('train loss 0.5')",
            timeout=20_000,
        )
        assert looked.said == []
        Path("train.log").write_text("no log\n")
        page.wait_for_selector("#news:not([hidden])", timeout=20_000)
        assert "is not a training log" in page.locator("#news").inner_text()
        assert "train loss 0.5" in page.locator("#content").inner_text(), "what was there stays"
        Path("train.log").write_text(line(0, 3.0))
        page.wait_for_selector("#news", state="hidden", timeout=20_000)
        process.kill()
        page.wait_for_function(
            "() => document.getElementById('news').innerText.includes('does not answer')",
            timeout=20_000,
        )
        page.close()

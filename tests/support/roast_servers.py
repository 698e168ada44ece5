"""The server of ``examples/serve`` as a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from roastery.cli.main import main

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "serve"
_PATIENCE = 60.0

NET = """
name: "Pictures"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 6 dim: 8 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


def write_net(folder: Path, text: str = NET) -> Path:
    """An artifact with labels, and pictures ``0.png`` to ``3.png``."""
    import cv2

    rng = np.random.default_rng(0)
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (12, 16, 3), np.uint8))
    (folder / "net.prototxt").write_text(text)
    (folder / "labels.txt").write_text("zero\none of them\n\nthree\n")
    write_weights(folder / "net.prototxt", folder / "net.caffemodel", 0.01)
    words = ["export", str(folder / "net.prototxt"), f"--output={folder / 'net.roast'}"]
    words += [
        f"--weights={folder / 'net.caffemodel'}",
        "--cpu-baseline=none",
        "--mean-value=104,117,123",
    ]
    assert main([*words, f"--labels={folder / 'labels.txt'}"]) == 0
    return folder / "net.roast"


class ServerProcess:
    """``log``: its standard error so far."""

    def __init__(self, *words: str | Path, environment: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, FOLDER / "serve.py", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = ""
        self._told = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._told:
                self.log += line
                self._told.notify_all()

    def wait_for(self, text: str) -> re.Match[str]:
        """A line of the log."""
        end = time.monotonic() + _PATIENCE
        with self._told:
            while not (found := re.search(text, self.log)):
                assert self.process.poll() is None and time.monotonic() < end, self.log
                self._told.wait(0.2)
        return found

    @property
    def url(self) -> str:
        return self.wait_for(r"listening on (http://\S+)")[1]

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(_PATIENCE)


@contextmanager
def serving(artifact: Path, *words: str) -> Iterator[Any]:
    """A client (httpx) of a server that is ready; ``client.server`` is the process."""
    import httpx

    server = ServerProcess(artifact, "--port=0", *words)
    try:
        server.wait_for("ready: ")
        with httpx.Client(base_url=server.url, timeout=_PATIENCE) as client:
            client.server = server  # type: ignore[attr-defined]
            yield client
    finally:
        server.process.kill()
        server.process.wait()


def assert_same_lines(some: list[str], others: list[str]) -> None:
    """But for the last digit of numbers: batches of other sizes round otherwise."""
    assert len(some) == len(others), (some, others)
    for left, right in zip(some, others, strict=True):
        assert re.sub(r"\d+\.\d+", "#", left) == re.sub(r"\d+\.\d+", "#", right)
        pairs = zip(re.findall(r"\d+\.\d+", left), re.findall(r"\d+\.\d+", right), strict=True)
        for a, b in pairs:
            digits = len(a.partition(".")[2])
            assert abs(float(a) - float(b)) < 1.5 * 10**-digits, (left, right)


def write_weights(net: Path, weights: Path, spread: float) -> None:
    """The same every time."""
    import roastery.caffe as caffe

    rng = np.random.default_rng(7)
    made = caffe.Net(str(net), caffe.TEST, device="reference")
    for blobs in made.params.values():
        blobs[0].data[...] = rng.normal(0, spread, blobs[0].data.shape)
    made.save(str(weights))

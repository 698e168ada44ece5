"""The servers that are asked: processes on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 120.0


@dataclass
class RunningServer:
    """``engine``: whose net it runs. ``setting``: how it makes batches."""

    engine: str
    setting: str
    process: subprocess.Popen[bytes]
    url: str

    def processor_seconds(self) -> float:
        """What its threads have used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(_PATIENCE)


def start(engine: str, setting: str, words: Sequence[str | Path]) -> RunningServer:
    """A server that is ready."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, *words, "--port=0"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=log,
        )
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and process.poll() is None:
            found = re.search(r"listening on (http://\S+)", Path(log.name).read_text())
            if found and _ready(found[1]):
                return RunningServer(engine, setting, process, found[1])
            time.sleep(0.1)
        process.kill()
        raise RuntimeError(f"{engine}: no server came up\n{Path(log.name).read_text()[-2000:]}")


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False

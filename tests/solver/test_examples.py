"""The examples run as their files say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def script(*words: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout


def test_first_example_of_talks_about_caffe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roastery: Run
) -> None:
    """No backend (so LevelDB), step policy, a snapshot folder that is not there yet."""
    pytest.importorskip("plyvel")
    folder = shutil.copytree(EXAMPLES / "logreg", tmp_path / "logreg")
    script("make_data.py", cwd=folder)
    monkeypatch.chdir(folder)
    log = roastery("train", "--solver=solver.prototxt")
    assert "Opened leveldb input_leveldb" in log
    assert "made the directory 'models' for snapshots" in log
    assert (folder / "models" / "logreg_iter_200.caffemodel").exists()
    losses = [float(x) for x in re.findall(r"Iteration \d+.*, loss = ([\d.e+-]+)", log)]
    assert losses[0] == pytest.approx(0.693147)
    assert losses[-1] < 0.3
    assert re.findall(r"lr = (\S+)", log)[-1] == "1e-07"


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    """The digits demo reaches its accuracy, and leaves weights and a picture."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    output = tmp_path / "out"
    text = script(EXAMPLES / "digits" / "demo.py", "--output", output)
    found = re.search(r"(\d+) of 360 held-out digits right: accuracy ([\d.]+)", text)
    assert found is not None and float(found.group(2)) >= 0.97
    assert (output / "snapshots" / "lenet_digits_iter_800.caffemodel").stat().st_size > 100_000
    assert (output / "train.png").read_bytes().startswith(b"\x89PNG")

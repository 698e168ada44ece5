"""Caffe's own notebooks run, where there is a checkout of Caffe (examples/notebooks/caffes.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "examples" / "notebooks" / "caffes.py"
CAFFE = os.environ.get("ROASTERY_CAFFE_CHECKOUT", "")
DEEPDREAM = os.environ.get("ROASTERY_DEEPDREAM_CHECKOUT", "")
NAMES = (
    "00-classification", "01-learning-lenet", "02-fine-tuning", "brewing-logreg", "net_surgery",
    "pascal-multilabel", "siamese",
)  # fmt: skip


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(COMMAND), *words], capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif(not CAFFE, reason="ROASTERY_CAFFE_CHECKOUT names no checkout of BVLC/caffe")
@pytest.mark.parametrize("name", NAMES)
def test_all_cells_run(name: str) -> None:
    if name == "pascal-multilabel":
        pytest.importorskip("skimage", reason="its data layer imports scikit-image")
    done = run(CAFFE, name)
    assert done.returncode == 0, done.stdout
    first = done.stdout.splitlines()[0].split()
    assert first[0] == f"{name}:" and first[1] == first[3] != "0"


@pytest.mark.slow
@pytest.mark.skipif(not DEEPDREAM, reason="ROASTERY_DEEPDREAM_CHECKOUT names no checkout of it")
def test_deepdream_runs() -> None:
    done = run(CAFFE, "deepdream", "--deepdream", DEEPDREAM)
    assert done.returncode == 0, done.stdout


def test_mistakes_are_told(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert done.returncode == 2 and "is no checkout of Caffe" in done.stderr
    done = run(str(tmp_path), "surgery")
    assert done.returncode == 2 and "surgery: must be one of 00-classification" in done.stderr

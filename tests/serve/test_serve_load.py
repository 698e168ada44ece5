"""The load test of the server runs, and both engines say the same under it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import c_kernels

ROOT = Path(__file__).parents[2]


@c_kernels.needs_compiler
def test_the_benchmark_runs(packages: None, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime: pip install 'roastery[bench]'")
    pytest.importorskip("onnx", reason="onnx: pip install 'roastery[bench]'")
    words = ["--net=lenet", "--kinds", "picture", "--clients", "2", "--batches", "gathered"]
    words += ["--seconds=0.1", "--rounds=1", f"--output={tmp_path / 'found.md'}"]
    command = [sys.executable, "benchmarks/serving.py", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = re.findall(r"^\| 2 \| 8, no wait \|(.*)\|$", (tmp_path / "found.md").read_text(), re.M)
    assert all(float(cell) > 0 for cell in row.split("|"))

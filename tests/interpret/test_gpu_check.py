"""``benchmarks/gpu_check.py`` on a fake GPU whose kernels are interpreted."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchmarks.gpu_check as gpu_check
import roastery.caffe.net
import roastery.training.solvers
import runtime.cuda.driver
import runtime.cuda.driver.device
import runtime.cuda.driver.libcuda
from tests.support import executor_run, golden
from tests.support.interpreting_gpu import InterpretingGpu

CHECKED = "masks", "views", "capture", "devices", "layers", "golden"
WORDS = ["--only", ",".join(CHECKED), "--limit", "2", "--skip-benchmarks"]


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InterpretingGpu:
    """A fake GPU in the place of the machine's."""
    gpu = InterpretingGpu(tmp_path)
    backend = gpu.backend()
    for module in (gpu_check, golden, roastery.caffe.net, roastery.training.solvers):
        monkeypatch.setattr(module, "open_backend", lambda device: backend)
    for module in (runtime.cuda.driver, runtime.cuda.driver.device, runtime.cuda.driver.libcuda):
        monkeypatch.setattr(module, "cuda_driver", gpu.fake.driver)
    monkeypatch.setattr(gpu_check, "pytest_on_gpu", lambda: True)
    monkeypatch.setenv("ROASTERY_DEVICE", "cuda:0")
    return gpu


def test_all_is_well(gpu: InterpretingGpu, capsys: pytest.CaptureFixture[str]) -> None:
    status = gpu_check.main(WORDS)
    out = capsys.readouterr().out
    assert status == 0, out
    gpu.fake.check()
    lines = [line.split() for line in out.splitlines()]
    assert out.startswith("device cuda:0: Fake 0, sm_90")
    counts = {words[0]: int(words[1]) for words in lines if words[2:3] == ["compared"]}
    assert counts.keys() == {*CHECKED}
    assert counts["devices"] == 0
    assert "    two devices: not checked, the driver finds 1" in out.splitlines()
    assert counts["capture"] == 5
    assert all(counts[name] > 2 for name in ("masks", "views", "layers", "golden"))
    assert out.endswith("everything agrees\n")


def test_a_mismatch_ends_with_status_1(
    gpu: InterpretingGpu, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_run, "difference", lambda ours, truth: float("nan"))
    assert gpu_check.main(["--only", "views", "--skip-benchmarks"]) == 1
    out = capsys.readouterr().out
    assert "FAILED 27" in out
    assert "view of 1: error nan, allowed 1e-04" in out


def test_without_a_gpu(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.cuda.driver.libcuda, "_LIBRARY", "libcuda-that-is-nowhere.so")
    runtime.cuda.driver.libcuda.cuda_driver.cache_clear()
    try:
        assert gpu_check.main(["--only", "views"]) == 1
    finally:
        runtime.cuda.driver.libcuda.cuda_driver.cache_clear()
    assert "device cuda is not there" in capsys.readouterr().out

"""docs/training.md: its commands run, and do what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.shown_commands import DOCS, check_commands

PAGE = (DOCS / "training.md").read_text(encoding="utf-8")


def test_the_page_does_what_it_says(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for package in ("matplotlib", "optuna", "tensorboardX"):
        pytest.importorskip(package)
    shutil.copytree(data_dir / "log_runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    Path("train_test.prototxt").rename("net.prototxt")
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" test_iter: 4 test_interval: 10 base_lr: 0.02 momentum: 0.9\n'
        'lr_policy: "fixed" display: 5 max_iter: 20 snapshot_prefix: "net" random_seed: 3\n'
    )
    assert check_commands(PAGE, capsys) == 6
    assert {path.name for path in Path("search").iterdir()} >= {
        "best.prototxt", "curves.png", "trials.csv", "search.journal", "trial_000.log",
    }  # fmt: skip
    assert Path("confusion.csv").is_file() and Path("train.png").is_file()
    assert len(list(Path("runs/first").iterdir())) == 1

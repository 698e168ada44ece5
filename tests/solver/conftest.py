"""Folders of Caffe files to train in, and the command line run inside this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from roastery.cli.main import main

Run = Callable[..., str]


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


@pytest.fixture
def snapshot_folder(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the snapshots that Caffe wrote, with their nets; the working directory."""
    folder = _copied(data_dir / "snapshots", tmp_path / "snapshots")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def log_folder(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the nets and databases of the recorded logs; the working directory."""
    folder = _copied(data_dir / "log_runs", tmp_path / "log_runs")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def roastery(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; returns standard error. Fails unless the exit code is as expected."""

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        found = main(words)
        error = capsys.readouterr().err
        assert found == code, error[-2000:]
        return error

    return run

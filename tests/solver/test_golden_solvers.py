"""Twelve iterations of every solver, as Caffe computed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import SOLVERS, solver_errors

TOLERANCE = 2e-5


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)


@pytest.mark.parametrize("path", SOLVERS, ids=lambda path: path.stem)
def test_trajectory(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "cpu")
    errors = dict(solver_errors(path, tmp_path))
    assert len(errors) >= 24
    assert {name: e for name, e in errors.items() if not e <= TOLERANCE} == {}

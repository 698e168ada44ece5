"""What Caffe and its forks computed, replayed through the kernels: layers, small nets, solvers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import (
    FORKS,
    LAYERS,
    SOLVERS,
    fused_errors,
    layerwise_errors,
    solver_errors,
)

TOLERANCE = 1e-4
LOSSES = [
    path
    for path in FORKS
    if path.stem.startswith(("multibox_", "region_loss", "yolov3_loss", "detection_evaluate"))
]
OTHERS = [path for path in FORKS if path not in LOSSES]


def _wrong(errors: dict[str, float]) -> dict[str, float]:
    return {name: error for name, error in errors.items() if not error <= TOLERANCE}


@pytest.mark.parametrize("path", LAYERS, ids=lambda path: path.stem)
def test_layers(path: Path, tmp_path: Path) -> None:
    errors = layerwise_errors(path, "interpret", tmp_path)
    assert errors
    assert _wrong(errors) == {}


@pytest.mark.parametrize("path", [*LAYERS, *OTHERS], ids=lambda path: path.stem)
def test_fused_graphs(path: Path) -> None:
    errors = fused_errors(path, "interpret")
    assert errors
    assert _wrong(errors) == {}


@pytest.mark.parametrize("path", LOSSES, ids=lambda path: path.stem)
def test_losses_of_detection_nets(path: Path, tmp_path: Path) -> None:
    assert _wrong(layerwise_errors(path, "interpret", tmp_path)) == {}
    assert _wrong(fused_errors(path, "interpret")) == {}


@pytest.mark.parametrize("path", SOLVERS, ids=lambda path: path.stem)
def test_solvers(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "interpret")
    errors = dict(solver_errors(path, tmp_path))
    assert len(errors) > 12
    assert _wrong(errors) == {}

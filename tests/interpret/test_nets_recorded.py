"""What Caffe and its forks computed, replayed through the kernels: layers, small nets, solvers."""

from __future__ import annotations

from collections.abc import Sequence
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
SLOW = {
    *("psroi_pooling_0", "psroi_pooling_3", "psroi_pooling_halves", "proposal_0", "proposal_3"),
    *("roi_pooling_4", "roi_pooling_halves", "multibox_hard_example_logistic"),
    *("multibox_max_negative_logistic", "multibox_normalization_batch_size"),
    "multibox_normalization_full",
}
"""Thousands of programs, one for each pixel of each channel, or whole rows for one program: the
interpreter takes long for kernels that run in other cases of the kind, and in nets, too."""


def cases(paths: Sequence[Path]) -> list[object]:
    """Those that are slow stand apart."""
    return [
        pytest.param(
            path, id=path.stem, marks=[pytest.mark.exhaustive] if path.stem in SLOW else []
        )
        for path in paths
    ]


def _wrong(errors: dict[str, float]) -> dict[str, float]:
    return {name: error for name, error in errors.items() if not error <= TOLERANCE}


def test_there_are_slow_cases() -> None:
    assert {path.stem for path in FORKS} >= SLOW


@pytest.mark.parametrize("path", LAYERS, ids=lambda path: path.stem)
def test_layers(path: Path, tmp_path: Path) -> None:
    errors = layerwise_errors(path, "interpret", tmp_path)
    assert errors
    assert _wrong(errors) == {}


@pytest.mark.parametrize("path", cases([*LAYERS, *OTHERS]))
def test_fused_graphs(path: Path) -> None:
    errors = fused_errors(path, "interpret")
    assert errors
    assert _wrong(errors) == {}


@pytest.mark.parametrize("path", cases(LOSSES))
def test_losses_of_detection_nets(path: Path, tmp_path: Path) -> None:
    assert _wrong(layerwise_errors(path, "interpret", tmp_path)) == {}
    assert _wrong(fused_errors(path, "interpret")) == {}


@pytest.mark.parametrize("path", SOLVERS, ids=lambda path: path.stem)
def test_solvers(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "interpret")
    errors = dict(solver_errors(path, tmp_path))
    assert len(errors) > 12
    assert _wrong(errors) == {}

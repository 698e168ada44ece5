"""What Caffe computed, replayed on the CPU, with passes and without: layer by layer, and as one
graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import LAYERS, fused_errors, layerwise_errors

TOLERANCE = 2e-5
QUICK = 3  # on the CPU layers have kernels of their own to compile: one of so many by `make test`


def layerwise_cases() -> list[object]:
    return [
        pytest.param(
            path,
            device,
            id=f"{path.stem}-{device}",
            marks=[pytest.mark.exhaustive] if device == "cpu" and i % QUICK else [],
        )
        for i, path in enumerate(LAYERS)
        for device in ("cpu", "reference")
    ]


def test_there_are_cases() -> None:
    assert len(LAYERS) >= 100


@pytest.mark.parametrize(("path", "device"), layerwise_cases())
def test_equals_caffe(path: Path, device: str, tmp_path: Path) -> None:
    errors = layerwise_errors(path, device, tmp_path)
    assert errors
    assert {k: e for k, e in errors.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("path", LAYERS, ids=lambda path: path.stem)
def test_the_fused_graph_equals_caffe(path: Path, device: str) -> None:
    errors = fused_errors(path, device)
    assert errors
    assert {k: e for k, e in errors.items() if not e <= TOLERANCE} == {}

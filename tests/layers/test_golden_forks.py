"""What forks of Caffe computed, replayed: layer by layer, and as one graph.

Recorded from the forks' own code on a CPU. What such a layer is for is told in docs/layers.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import FORKS, fused_errors, layerwise_errors

TOLERANCE = 2e-5
DEVICES = ("cpu", "reference")


def cases() -> list[object]:
    """Every case on both devices."""
    return [
        pytest.param(path, device, id=f"{path.stem}-{device}")
        for path in FORKS
        for device in DEVICES
    ]


def test_there_are_cases() -> None:
    assert len(FORKS) >= 120


@pytest.mark.parametrize(("path", "device"), cases())
def test_equals_the_fork(path: Path, device: str, tmp_path: Path) -> None:
    errors = layerwise_errors(path, device, tmp_path)
    assert errors
    assert {k: e for k, e in errors.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize(("path", "device"), cases())
def test_the_fused_graph_equals_the_fork(path: Path, device: str) -> None:
    errors = fused_errors(path, device)
    assert errors
    assert {k: e for k, e in errors.items() if not e <= TOLERANCE} == {}

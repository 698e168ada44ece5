"""Nets from text, on the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import roastery.caffe as caffe

MakeNet = Callable[..., caffe.Net]


@pytest.fixture(autouse=True)
def _reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")


@pytest.fixture
def make_net(tmp_path: Path) -> MakeNet:
    """Makes a net of prototxt text; a TEST net unless told otherwise."""
    count = 0

    def make(text: str, phase: int = caffe.TEST, **options: Any) -> caffe.Net:
        nonlocal count
        count += 1
        path = tmp_path / f"net{count}.prototxt"
        path.write_text(text)
        return caffe.Net(str(path), phase, **options)

    return make

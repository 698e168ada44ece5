"""docs/native.md shows what its commands print."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import c_kernels
from tests.support.shown_commands import DOCS, blocks, check_commands

PAGE = (DOCS / "native.md").read_text(encoding="utf-8")


@c_kernels.needs_compiler
def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    net = blocks((DOCS / "exporting.md").read_text(encoding="utf-8"), "")[0]
    Path("digits.prototxt").write_text(net)
    Path("names.txt").write_text("".join(f"digit {number}\n" for number in range(10)))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3)).astype(np.uint8)
    assert cv2.imwrite("three.png", pixels)
    assert check_commands(PAGE, capsys) == 2

"""The pictures in docs/view.md: ``pytest tests/view/test_view_pictures.py --basetemp=out`` leaves
new ones below ``out``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.googlenet.make_net import googlenet
from tests.support.browser import look_at

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 1280, "height": 760}


@pytest.mark.parametrize("name", ["view", "view-compiler"])
def test_pictures(browser: Any, made_page: Any, tmp_path: Path, name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    looked = look_at(browser, made_page(googlenet(1, deploy=True)).as_uri(), viewport=SIZE)
    page = looked.page
    page.fill("#search", "inception_4a/3x3")
    page.press("#search", "Enter")
    page.press("#search", "Escape")
    for _ in range(2):
        page.click("#farther")
    if name == "view-compiler":
        page.click("#tab-compiler")
        page.wait_for_selector("#ir pre .added")
    page.screenshot(path=str(tmp_path / f"{name}.png"))
    pixels = cv2.imread(str(tmp_path / f"{name}.png"))
    assert pixels.shape == (760, 1280, 3) and len(np.unique(pixels)) > 100
    kept = PICTURES / f"{name}.png"
    assert cv2.imread(str(kept)).shape == pixels.shape
    assert kept.stat().st_size < 250_000
    assert looked.said == []

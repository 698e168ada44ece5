"""docs/exporting.md shows what its commands print."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support import c_kernels
from tests.support.shown_commands import DOCS, blocks, check_commands

PAGE = (DOCS / "exporting.md").read_text(encoding="utf-8")

pytestmark = [
    c_kernels.needs_compiler,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make"),
]


def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits.prototxt").write_text(blocks(PAGE, "")[0])
    Path("own.c").write_text(blocks(PAGE, "c")[0])
    np.save("data.npy", np.zeros((1, 1, 8, 8), np.float32))
    assert check_commands(PAGE, capsys) == 10


def test_the_interface_is_as_it_is_shown() -> None:
    """Functions that the page names are in the header."""
    templates = DOCS.parent / "compiler" / "c" / "export" / "templates"
    header = (templates / "net.h").read_text().replace("example_net", "digits")
    for name in set(re.findall(r"\bdigits_\w+", PAGE)) - {"digits_weights"}:
        assert name in header, name

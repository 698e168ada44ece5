"""docs/pytorch.md shows what its commands print, and programs that run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shown_commands import DOCS, blocks, check_commands

PAGE = (DOCS / "pytorch.md").read_text(encoding="utf-8")


def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    digits = blocks((DOCS / "exporting.md").read_text(encoding="utf-8"), "")[0]
    Path("digits.prototxt").write_text(digits)
    assert check_commands(PAGE, capsys) == 3
    programs = blocks(PAGE, "python")
    assert len(programs) == 2
    program = "".join([*programs, "assert len(optimizer.param_groups) == 4\n"])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd="digits_torch", capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[5, 10]\n", "")

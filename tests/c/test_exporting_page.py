"""docs/exporting.md shows what its commands print."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from roastery.cli.main import main
from tests.support import c_kernels

PAGE = (Path(__file__).parents[2] / "docs" / "exporting.md").read_text(encoding="utf-8")

pytestmark = [
    c_kernels.needs_compiler,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make"),
]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def pattern(shown: str) -> str:
    """What the output must match: dots stand for anything."""
    return re.escape(shown).replace(re.escape("..."), "(?:.|\n)*?")


def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits.prototxt").write_text(blocks("")[0])
    Path("own.c").write_text(blocks("c")[0])
    np.save("data.npy", np.zeros((1, 1, 8, 8), np.float32))
    parts = [part.partition("\n") for block in blocks("console") for part in block.split("$ ")[1:]]
    assert len(parts) == 10
    for line, _, shown in parts:
        program, *words = shlex.split(line)
        if program == "roastery":
            assert main(words) == 0
            printed = "".join(capsys.readouterr())
        else:
            environment = {**os.environ, "LC_ALL": "C"}
            done = subprocess.run(line.split(), capture_output=True, text=True, env=environment)
            assert done.returncode == 0, done.stderr
            printed = done.stdout + done.stderr
        assert re.fullmatch(pattern(shown), printed), f"{line}\n{printed}"


def test_the_interface_is_as_it_is_shown() -> None:
    """Functions that the page names are in the header."""
    templates = Path(__file__).parents[2] / "compiler" / "c" / "export" / "templates"
    header = (templates / "net.h").read_text().replace("example_net", "digits")
    for name in set(re.findall(r"\bdigits_\w+", PAGE)) - {"digits_weights"}:
        assert name in header, name

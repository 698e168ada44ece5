"""docs/debugging-passes.md shows what its commands print."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.passes import rewrite
from roastery.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "debugging-passes.md"


def examples_of(page: str) -> list[tuple[str, str]]:
    """Commands, and the lines that the page shows under them."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    parts = [part.partition("\n") for block in blocks for part in block.split("$ ")[1:]]
    return [(command, shown) for command, _, shown in parts]


def pattern(shown: str) -> str:
    """What the output must match: a line of dots stands for any lines."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n"
        for line in shown.splitlines()
    ]
    return "".join(lines)


def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = {op: tuple(of_op) for op, of_op in rewrite.RULES.items()}
    shutil.copytree(ROOT / "examples" / "passes", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    found = examples_of(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 6
    for command, shown in found:
        program, *words = shlex.split(command)
        assert program == "roastery"
        monkeypatch.setattr(rewrite, "RULES", {op: [*of_op] for op, of_op in rules.items()})
        if "interpret" in words:  # Triton decides on import whether it interprets
            done = subprocess.run(
                [sys.executable, "-m", "roastery", *words], capture_output=True, text=True
            )
            code, printed = done.returncode, done.stdout + done.stderr
        else:
            code = main(words)
            printed = "".join(capsys.readouterr())
        assert re.fullmatch(pattern(shown), printed), f"{command}\n{printed}"
        assert code == ("wrong" in shown), command

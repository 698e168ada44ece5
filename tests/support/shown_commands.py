"""Pages that show commands and what they print: read, run, compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from roastery.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, kind: str) -> list[str]:
    """What stands in fences of a language."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def pattern(shown: str) -> str:
    """What the output must match: dots stand for anything."""
    return re.escape(shown).replace(re.escape("..."), "(?:.|\n)*?")


def check_commands(page: str, capsys: pytest.CaptureFixture[str]) -> int:
    """Run what a page shows behind ``$`` here, in order; how many there were.

    ``roastery`` runs in this process. What is printed there, of both streams, output comes first.
    """
    parts = [
        part.partition("\n") for block in blocks(page, "console") for part in block.split("$ ")[1:]
    ]
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
    return len(parts)

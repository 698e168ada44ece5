"""Runs the commands that an example's README shows, in a copy of its folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def script(*words: str | Path, cwd: Path | None = None) -> str:
    """Standard output of ``python WORDS``, which must succeed."""
    return _run([sys.executable, *map(str, words)], cwd)[0]


def copied(name: str, target: Path, changes: Mapping[str, Mapping[str, str]]) -> Path:
    """A copy of an example whose files have other numbers in them.

    Args:
        name: of the example's folder.
        target: a folder that is there.
        changes: for a file's name, what in it becomes what.
    """
    folder = shutil.copytree(EXAMPLES / name, target / name)
    for file, replaced in changes.items():
        path = folder / file
        path.write_text(_changed(path.read_text(), replaced))
    return folder


def run_shown(folder: Path, changes: Mapping[str, str]) -> dict[str, str]:
    """Run the commands of a copied README in order, each changed.

    Indented lines that begin with "python" or "roastery" are commands. What they print, standard
    error too, stands under their own words as shown.
    """
    text = (folder / "README.md").read_text()
    said = {}
    for line in re.findall(r"^    ((?:python|roastery) .*)$", text, re.MULTILINE):
        words = shlex.split(_changed(line, changes) if changes else line, comments=True)
        start = [sys.executable] if words[0] == "python" else [sys.executable, "-m", "roastery"]
        said[line.split("  ")[0]] = "".join(_run([*start, *words[1:]], folder))
    assert said, "the README shows no commands"
    return said


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def _run(command: list[str], cwd: Path | None) -> tuple[str, str]:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout, done.stderr

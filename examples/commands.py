"""What the examples share: Roastery's commands, run as a person would type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Show = Callable[[str], str | None]
"""Gives what is shown of a line of a command's output; None: nothing."""


def roastery(folder: Path, *words: str, log: str = "", show: Show | None = None) -> list[str]:
    """Run a command in the folder; keep its log, and show the lines that ``show`` picks."""
    print(f"\n$ roastery {shlex.join(words)}", flush=True)
    command = [sys.executable, "-m", "roastery", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # no installation needed
    lines = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            picked = show(line) if show is not None else None
            if picked:
                print(f"  {picked}", flush=True)
    if log:
        (folder / log).write_text("".join(lines))
    if process.returncode:
        sys.exit("".join(lines[-20:]))
    return lines


def training_line(line: str) -> str | None:
    """The part of a log line that says how training goes."""
    found = re.search(
        r"Iteration \d+ \(.*|Test net output.*|Snapshotting to .*|.*so numpy runs nets.*", line
    )
    return found.group(0) if found else None


def newest_weights(folder: Path) -> str:
    """The last snapshot's weights, relative to the folder."""
    snapshots = (folder / "snapshots").glob("*.caffemodel")
    newest = max(snapshots, key=lambda path: int(path.stem.rpartition("_")[2]))
    return str(newest.relative_to(folder))

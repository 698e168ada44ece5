"""Runs commands in one process of their own, and measures what each of them takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_CHILD = """
import contextlib, io, json, resource, sys
from roastery.cli.main import main
from runtime.data.image_codec import import_cv2
import frontends.caffemodel, roastery.caffe
import_cv2()
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # for the sake of the machine
for words in json.load(sys.stdin):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except Exception as error:
            code = repr(error)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    print(json.dumps([code, out.getvalue(), err.getvalue(), grown >> 10]), flush=True)
"""


@dataclass(frozen=True)
class Outcome:
    """What a command came to.

    Attributes:
        code: its exit code, or the exception that came out of it.
        mebibytes: by how much it raised the most memory that the process ever took.
    """

    code: int | str
    out: str
    err: str
    mebibytes: int


def run_measured(commands: Sequence[Sequence[str]], folder: Path) -> list[Outcome]:
    """Run command lines one after the other in ``folder``, in one new process."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        cwd=folder,
        input=json.dumps(commands),
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(commands), done.stdout + done.stderr
    return [Outcome(*json.loads(line)) for line in lines]

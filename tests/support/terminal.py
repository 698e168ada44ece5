"""Commands whose standard error is a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_on_terminal(
    words: Sequence[str], columns: int = 100, **environment: str
) -> tuple[int, str, str]:
    """Run `roastery` in a process: its exit code, standard output, and what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    drawn: list[bytes] = []
    reader = threading.Thread(target=_read, args=(ours, drawn))
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "roastery", *words], stderr=theirs, stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environment},
        check=False, text=True,
    )  # fmt: skip
    os.close(theirs)
    reader.join()
    os.close(ours)
    return done.returncode, done.stdout, b"".join(drawn).decode()


def _read(descriptor: int, into: list[bytes]) -> None:
    try:
        while piece := os.read(descriptor, 4096):
            into.append(piece)
    except OSError:  # nobody has the other end any more
        pass

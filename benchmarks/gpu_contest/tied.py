"""A command that ends when whoever started it does, however that came about.

python -m benchmarks.gpu_contest.tied PID COMMAND...
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl(2); it outlasts the exec below


def main(words: list[str]) -> None:
    owner, *command = words
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != int(owner):  # it is gone already
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The side of a contender: a process that runs its net when it is asked to.

Nothing but numpy is imported here: a contender may live in an environment of its own.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Contender(Protocol):
    """A net, ready to run."""

    def run(self) -> object:
        """One pass over the input, or one training step."""
        ...

    def results(self) -> dict[str, np.ndarray]:
        """What it computes, by name, to be compared with others."""
        ...


def serve(load: Callable[[Path, int], Contender]) -> None:
    """Load what the command line says (a job's folder, a number of threads, a file for results, if
    anybody wants them), then answer requests, a line of JSON each, until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print
    folder, threads, file = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    try:
        contender = load(folder, threads)
        if file:
            np.savez(file, **contender.results())
        reply: Any = "ready"
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        raise
    print(json.dumps(reply), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_answer(contender, request)), file=answers, flush=True)


def _answer(contender: Contender, request: dict[str, Any]) -> object:
    if request["do"] == "memory":
        contender.run()
        contender.run()
        return _peak_memory()
    contender.run()  # others had the caches
    seconds = []
    while len(seconds) < request["least"] or sum(seconds) < request["seconds"]:
        began = time.perf_counter()
        contender.run()
        seconds.append(time.perf_counter() - began)
    return seconds


def _peak_memory() -> int:
    """Bytes resident at most. What getrusage tells begins with what the parent had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    assert found
    return 1024 * int(found[1])

"""A process that reads mutated artifacts within limits of memory and time, and says what it saw."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from runtime.artifact import Artifact, load

from .mutations import Mutation, mutation

_ADDRESSES = 768 << 20
"""Bytes that the process may ask for beyond what it has at the start."""
PER_FILE = 48 << 20
PER_BYTE = 64
"""Of memory: what reading a file may take at once, and more by its length."""
SECONDS = 2.0


def main(whole: Path, first: int, count: int) -> None:
    """Read mutations of a file, and print problems and numbers as JSON."""
    data = whole.read_bytes()
    expected = _read(whole)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    path = whole.parent / "mutated.roast"
    problems: list[str] = []
    outcomes: Counter[str] = Counter()
    most_seconds = most_memory = 0.0
    for number in range(first, first + count):
        made = mutation(number, data)
        path.write_bytes(made.data)
        before = _reset_peak()
        start = time.process_time()
        outcome, problem = _outcome(path, made, expected)
        seconds, memory = time.process_time() - start, _status("VmHWM") - before
        outcomes[f"{made.kind} {outcome}"] += 1
        most_seconds, most_memory = max(most_seconds, seconds), max(most_memory, memory)
        if seconds > SECONDS:
            problem = problem or f"took {seconds:.1f} s"
        if memory > PER_FILE + PER_BYTE * len(made.data):
            problem = problem or f"took {memory} bytes for {len(made.data)}"
        if problem:
            problems.append(f"{number} ({made.kind}): {problem}")
    seen = {"problems": problems, "outcomes": outcomes, "s": most_seconds, "bytes": most_memory}
    print(json.dumps(seen))


def _outcome(path: Path, made: Mutation, expected: object) -> tuple[str, str]:
    """What became of it, and what is wrong with that."""
    try:
        found = _read(path)
    except RoasteryError as error:
        named = str(path) in str(error) or path.name in str(error)
        return "refused", "" if named else f"an error that names no file: {error!r}"
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error!s:.200}"
    if made.refused:
        return "read", "was read" + ("" if found == expected else ", as something else")
    return "read", ""


def _read(path: Path) -> object:
    """All that there is to read of a file, and what numpy makes of it; no machine code."""
    net = load(path, "reference")
    with Artifact.load(path) as artifact:
        if any(target.startswith("cuda") for target in artifact.manifest.targets):
            artifact.plan()
        for entry in artifact.cpu_entries().values():
            artifact.cpu_code(entry)
        for each in artifact.planned():
            artifact.manifest.types_at(each.sizes)
        for name in artifact.manifest.members:
            artifact.read(name)
    arrays = {
        name: np.ones(type.shape, type.dtype.numpy)
        for name, type in net.inputs.items()
        if type.size < 10**5
    }
    if len(arrays) < len(net.inputs):
        return None
    return {name: array.tobytes() for name, array in net(**arrays).items()}


def _reset_peak() -> int:
    """Bytes that the process has, which are its peak from now on."""
    gc.collect(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise ValueError(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

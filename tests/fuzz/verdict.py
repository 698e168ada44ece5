"""What became of an input."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

#: read: as valid. refused: with a RoasteryError. Everything else is a failure.
Outcome = Literal[
    "read", "refused", "exception", "memory", "hang", "crash", "loss", "wrote", "invalid"
]

FAILURES: dict[str, str] = {
    "exception": "an exception that is no RoasteryError",
    "memory": "more than 1 GiB beyond the process's own",
    "hang": "more than 10 seconds",
    "crash": "the process died",
    "loss": "one damage in a format with checksums, and other values without an error",
    "wrote": "reading changed or made files",
    "invalid": "a valid input was refused",
}


@dataclass
class Verdict:
    """One input's outcome.

    Attributes:
        seconds: of the processor.
        mebibytes: by how much reading raised the process's memory.
        detail: for failures: the exception and where it came from.
        key: failures of one cause share it.
    """

    target: str
    number: int
    change: str
    outcome: Outcome
    seconds: float = 0.0
    mebibytes: int = 0
    detail: str = ""
    key: str = ""


def where(error: BaseException) -> tuple[str, str]:
    """A key for failures of one cause, and what to show of it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/tests/" not in f.filename and "site-packages" not in f.filename]
    last = ours[-1] if ours else frames[-1]
    key = f"{type(error).__name__} in {_short(last.filename)}:{last.name}"
    text = "".join(traceback.format_exception_only(error)).strip()
    trail = " <- ".join(f"{_short(f.filename)}:{f.lineno}" for f in reversed(frames[-8:]))
    return key, f"{text[:300]!a} at {trail}"


def _short(path: str) -> str:
    return "/".join(path.split("/")[-3:])

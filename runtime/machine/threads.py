"""How many threads run a net on the CPU.

The first of: ``--threads`` or ``threads=``; ``ROASTERY_THREADS``; ``OMP_NUM_THREADS``; the
processors that this process may use. No result depends on it.
"""

from __future__ import annotations

import os
import re

from ir.errors import RoasteryError

MOST_THREADS = 256


def number_of_threads(explicit: int | None, processors: int) -> int:
    """Raises RoasteryError for what is no number from 1 to ``MOST_THREADS``."""
    if explicit is not None:
        return _checked(explicit, "threads")
    if text := os.environ.get("ROASTERY_THREADS", "").strip():
        return _checked(text, "ROASTERY_THREADS")
    # OpenMP takes a list, of which the first is meant for what is not nested. What it makes of
    # anything else is not ours to complain of.
    shared = re.match(r"\s*0*([1-9]\d{0,8})\s*(,|$)", os.environ.get("OMP_NUM_THREADS", ""))
    return min(int(shared[1]), MOST_THREADS) if shared else min(processors, MOST_THREADS)


def _checked(asked: int | str, name: str) -> int:
    text = str(asked)
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= MOST_THREADS:
        return int(text)
    raise RoasteryError(f"{name} is '{text}'", hint=f"a whole number from 1 to {MOST_THREADS}")

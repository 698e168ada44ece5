"""How many threads run a net on the CPU.

The first of: ``--threads`` or ``threads=``; ``ROASTERY_THREADS``; ``OMP_NUM_THREADS``; the
processors that this process may use, shared out among the ranks of a machine. No result depends
on it.
"""

from __future__ import annotations

import os
import re

from ir.errors import RoasteryError

MOST_THREADS = 256

_sharing = 1


def number_of_threads(explicit: int | None, processors: int) -> int:
    """Raises RoasteryError for what is no number from 1 to ``MOST_THREADS``."""
    if explicit is not None:
        return _checked(explicit, "threads")
    if text := os.environ.get("ROASTERY_THREADS", "").strip():
        return _checked(text, "ROASTERY_THREADS")
    # OpenMP takes a list, of which the first is meant for what is not nested. What it makes of
    # anything else is not ours to complain of.
    shared = re.match(r"\s*0*([1-9]\d{0,8})\s*(,|$)", os.environ.get("OMP_NUM_THREADS", ""))
    ranks = _ranks_here()
    if shared and not (ranks > 1 and shared[1] == "1"):
        return min(int(shared[1]), MOST_THREADS)
    return max(1, min(processors // ranks, MOST_THREADS))


def share_machine(count: int) -> None:
    """So many processes of one training share this machine: a script says it."""
    global _sharing
    _sharing = count


def _ranks_here() -> int:
    """How many processes of one training share this machine. torchrun, which says it, sets
    OMP_NUM_THREADS to 1 where the user has not set it."""
    text = os.environ.get("LOCAL_WORLD_SIZE", "")
    return max(_sharing, int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1)


def _checked(asked: int | str, name: str) -> int:
    text = str(asked)
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= MOST_THREADS:
        return int(text)
    raise RoasteryError(f"{name} is '{text}'", hint=f"a whole number from 1 to {MOST_THREADS}")

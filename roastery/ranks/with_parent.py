"""A rank ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "ROASTERY_RANKS_OF"
"""The environment variable in which a process tells the ranks that it starts its number."""

_LOOK = 0.5
"""Seconds between looks at the parent."""

_LAST_SNAPSHOT = 120.0
"""Seconds that a rank has to end as by SIGTERM; one that waits for another, which hangs, does not
heed signals."""


def end_with_parent() -> None:
    """Have this process end soon after the one that started it as a rank, as SIGTERM ends it.

    torchrun's ranks are torchrun's.
    """
    parent = os.environ.get(PARENT, "")
    if parent:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: str) -> None:
    while str(os.getppid()) == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_SNAPSHOT)
    os.kill(os.getpid(), signal.SIGKILL)

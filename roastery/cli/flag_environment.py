"""Flags in the environment (``--fromenv``, ``--tryfromenv``), as gflags reads them.

gflags: src/gflags.cc, ProcessFromenvLocked.
"""

from __future__ import annotations

import os

from .command import Flag, UsageError
from .said_elsewhere import SaidElsewhere

#: The flags that name variables. The second passes over those that are not there.
FROM_ENVIRONMENT = ("fromenv", "tryfromenv")


def flag_of_environment(name: str, flag: Flag, asked_by: str) -> SaidElsewhere | None:
    """What ``FLAGS_NAME`` says of a flag; None where it is not there and need not be.

    Args:
        asked_by: one of :data:`FROM_ENVIRONMENT`.

    Raises UsageError for a variable that must be there and is not, and for one that names others.
    """
    text = os.environ.get(f"FLAGS_{name}")
    if text is None:
        if asked_by == "fromenv":
            raise UsageError(f"--fromenv={name}: FLAGS_{name} is not in the environment")
        return None
    if flag.name in FROM_ENVIRONMENT:
        raise UsageError(f"--{asked_by}={name}: that would never end")
    return SaidElsewhere(f"FLAGS_{name} in the environment", name, flag, text)

"""Who has a LevelDB open: LevelDB itself locks the file LOCK, and may be writing."""

from __future__ import annotations

import os
from pathlib import Path


def locking_process(folder: Path) -> int | None:
    """The process that has the database open by LevelDB; None if there is none, or nobody says.

    The system's list is read. Asking the file itself would have to open and close it, and with
    that a process gives up all locks that it has on it.
    """
    try:
        lock = os.stat(folder / "LOCK")
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    place = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    for words in map(str.split, lines):  # "1: POSIX ADVISORY WRITE 4711 08:01:123 0 EOF"
        if len(words) > 5 and words[1] == "POSIX" and words[5] == place and words[4].isdigit():
            return int(words[4])
    return None

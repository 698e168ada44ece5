"""The folder of a search, which one process has at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ir.errors import RoasteryError

_LOCK = ".search.lock"


@contextlib.contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """In the block the folder, which is made if it is missing, is one search's.

    Raises RoasteryError where another process searches there, and where it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise RoasteryError(f"cannot search in '{folder}': {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RoasteryError(
            f"another search is going on in '{folder}'", hint="give another --output"
        ) from None
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(handle)

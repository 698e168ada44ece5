"""One process at a time measures on a GPU: two would measure each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from ..files.cache_folder import cache_folder


@contextlib.contextmanager
def measuring_alone(device: int) -> Iterator[None]:
    """Inside of it no other process that has this cache folder measures on GPU ``device``; waits
    for one that does. What a process holds ends with it. Where no file can be made nobody waits.
    """
    folder = cache_folder() / "locks"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(folder / f"measuring-{device}", flags, 0o600)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

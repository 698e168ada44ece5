"""Folders for what is being made, which say who makes it.

What is written to ``NAME`` first lies in ``.NAME.OWNER.partial/``. The owner is in the name, from
the first moment on, and holds a lock on the folder, which the system frees when the process dies,
however it dies. So a later run can tell what a killed one left from what a living one still needs:
see :mod:`roastery.files.leftovers`.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from .leftovers import cut_name, open_folder, remove_leftovers_of
from .process_identity import this_process

_numbers = itertools.count()


@contextlib.contextmanager
def owned_folder(parent: Path, name: str) -> Iterator[Path]:
    """A path ``parent/.NAME.OWNER.partial/NAME``; the caller makes what is there.

    Its folder exists, and only this user can enter it. It is removed at the end, with
    what is still in it. What dead processes left of the same name is removed first.

    Raises:
        OSError: the folder cannot be made.
    """
    remove_leftovers_of(parent, name)
    folder = _make(parent, name)
    lock = _locked(folder)
    try:
        yield folder / name
    finally:
        _remove(folder)
        if lock is not None:
            os.close(lock)


def _remove(folder: Path) -> None:
    """Remove it, although threads that were interrupted may still be writing into it."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.01)


def _make(parent: Path, name: str) -> Path:
    owner = this_process()
    while True:
        token = f"{owner.pid}-{owner.start}-{owner.where}-{next(_numbers)}"
        folder = parent / f".{cut_name(name)}.{token}.partial"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
            return folder


def _locked(folder: Path) -> int | None:
    """A handle that holds the folder's lock; it may hold none where there are no locks."""
    try:
        handle = open_folder(folder)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle

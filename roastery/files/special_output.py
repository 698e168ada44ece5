"""Writing to what is no file: a device, or a pipe such as ``>(gzip > FILE)``."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from pathlib import Path

_PATIENCE = 2.0
"""Seconds in which a pipe's reader may still come."""


def is_special(path: Path) -> bool:
    """Whether ``path`` is there, and neither a file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def is_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` is a pipe with a name."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def open_pipe(path: str | os.PathLike[str]) -> int:
    """A descriptor that writes to a pipe, without waiting for its reader for ever.

    Raises OSError where nobody reads it.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > until:
                why = "nobody reads this pipe" if error.errno == errno.ENXIO else error.strerror
                raise OSError(error.errno, why) from None
            time.sleep(0.05)
            continue
        os.set_blocking(descriptor, True)
        return descriptor


def pour(source: Path, target: Path) -> None:
    """Copy a file's bytes into a device or pipe. Raises OSError."""
    if is_pipe(target):
        descriptor = open_pipe(target)
    else:
        descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "wb") as sink, source.open("rb") as stream:
        shutil.copyfileobj(stream, sink, 1 << 20)
